"""What moves a ranker of a planted town."""

import pytest

from models.ml.monitoring.importance import compute_importance
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.contributions import HISTORY_SUBJECT
from models.ml.training.train import train_ranker
from tests.models_ml import planted

TOWN = planted.circles()
DECISIONS = TOWN.decisions()


def test_what_is_planted_moves_it_most() -> None:
    """Looks are in no profile: likes so far tell of them. Nobody wrote anything, and nobody lives anywhere."""
    ranker = train_ranker(TOWN.profiles, NO_ANSWERS, DECISIONS, 0).rankers.full
    found = compute_importance(ranker, TOWN.profiles, NO_ANSWERS, DECISIONS)
    assert found.idxmax() == HISTORY_SUBJECT
    assert found["answers"] == pytest.approx(0, abs=1e-6)
    assert (found >= 0).all()
