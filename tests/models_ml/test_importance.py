"""What moves a ranker of a planted town."""

import pytest

from models.ml.contributions import LIKES_SO_FAR
from models.ml.embeddings import NO_ANSWERS
from models.ml.importance import importance
from models.ml.training import train
from tests.models_ml import planted

TOWN = planted.circles()
DECISIONS = TOWN.decisions()


def test_what_is_planted_moves_it_most() -> None:
    """Looks are in no profile: likes so far tell of them. Nobody wrote anything, and nobody lives anywhere."""
    ranker = train(TOWN.profiles, NO_ANSWERS, DECISIONS, 0).rankers.whole
    found = importance(ranker, TOWN.profiles, NO_ANSWERS, DECISIONS)
    assert found.idxmax() == LIKES_SO_FAR
    assert found["answers"] == pytest.approx(0, abs=1e-6)
    assert (found >= 0).all()
