"""Residuals of decisions, by hand: what the ranker's view of the two profiles did not say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models.ml.features.pair_features import HISTORY_FEATURES, list_feature_groups
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import build_prior
from models.ml.ranker.residuals import compute_residuals
from tests.models_ml.conftest import crowd, events, specification

NAMES = [name for name, _ in list_feature_groups(specification())]
PRIOR = build_prior(specification(), NAMES, np.zeros(0, bool))
WEIGHTS = np.where(np.array(NAMES[:-HISTORY_FEATURES]) == "age.gap", 0.5, 0.0)
OLDER_IS_BETTER = replace(PRIOR, cold=LinearModel(WEIGHTS, -0.2), slope=3.0, shift=5.0)
"""Its cold-start part knows the age gap: log-odds of 0.5 for each year; the calibration does not count."""
PEOPLE = crowd(3, age=[31, 32, 33])
DECISIONS = events((0, 1, False, 1), (1, 0, True, 2), (2, 1, True, 3), (0, 2, True, 4))


def test_by_hand() -> None:
    up, down, two_up = expit(-0.2 + 0.5), expit(-0.2 - 0.5), expit(-0.2 + 1.0)
    residuals = compute_residuals(OLDER_IS_BETTER, PEOPLE, DECISIONS)
    assert residuals == pytest.approx([-up, 1 - down, 1 - down, 1 - two_up])


@pytest.mark.parametrize("size", [1, 3])
def test_batches_change_nothing(size: int) -> None:
    whole = compute_residuals(OLDER_IS_BETTER, PEOPLE, DECISIONS)
    np.testing.assert_array_equal(compute_residuals(OLDER_IS_BETTER, PEOPLE, DECISIONS, batch_size=size), whole)


def test_without_decisions() -> None:
    assert compute_residuals(OLDER_IS_BETTER, PEOPLE, events()).tolist() == []
