"""Two encoders on one population: the same one changes nothing, and one that knows what people like ranks better."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.ml.evaluation.monitoring.encoder_comparison import NEAREST, compare_encoders, share_nearest
from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from tests.models_ml.conftest import answers, direction
from tests.models_ml.planted import Planted, one_circle


def embed(town: Planted, encoder: str, angle: np.ndarray) -> AnswerEmbeddings:
    """One answer of each person, as a direction of the plane."""
    said = answers(*((who, "about", direction(np.cos(a), np.sin(a))) for who, a in zip(town.ids, angle, strict=True)))
    return replace(said, encoder=encoder)


def test_the_share_of_the_nearest_by_hand() -> None:
    """Of thirty people on an arc, those at its ends come to lie elsewhere; without vectors of both nothing is known."""
    town = one_circle()
    arc = np.linspace(0, 1, len(town.ids))
    first = embed(town, "first", arc)
    assert share_nearest(first, replace(first, encoder="second")) == 1
    halves = embed(town, "second", np.where(arc < 0.5, arc, arc + 2))
    assert 0.9 < share_nearest(first, halves) < 1
    random = embed(town, "second", np.random.default_rng(0).permutation(arc))
    assert share_nearest(first, random) < 3 * NEAREST / len(arc)
    assert np.isnan(share_nearest(first, NO_ANSWERS))


def test_an_encoder_that_knows_more_ranks_better() -> None:
    """Viewers like warm people; one encoder tells a candidate's warmth in its answers, the other tells nothing."""
    town = one_circle()
    nothing = pd.Series([{}] * len(town.ids), dtype=object)
    silent = town.profiles.assign(traits=nothing)
    same = embed(town, "same", np.zeros(len(town.ids)))
    found = compare_encoders(silent, town.decisions(), same, replace(same, encoder="again"), 0)
    assert (found.ours.encoder, found.theirs.encoder) == ("same", "again")
    assert (found.gain, found.gain_error, found.shared) == (0, 0, 1)
    assert found.ours.auc == found.theirs.auc
    assert found.ours.answers == len(town.ids)
    few = compare_encoders(silent, town.decisions(rows=slice(3)), same, same, 0)
    assert np.isnan([few.gain, few.gain_error, few.ours.auc]).all()
    age = town.profiles["age"].to_numpy(float)
    aware = embed(town, "aware", (age - age.min()) / np.ptp(age) * np.pi / 2)
    ageless = silent.assign(age=30)
    better = compare_encoders(ageless, town.decisions(), same, aware, 0)
    assert better.gain > 2 * better.gain_error > 0
    assert better.gain == pytest.approx(better.theirs.auc - better.ours.auc)
