"""The standard error of AUC within viewers: by hand, by brute force, and beside what chance really does."""

import math
from itertools import product

import numpy as np
import pytest

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.validation.clustered_errors import estimate_within_viewer_auc_error
from models.ml.validation.score_metrics import compute_within_viewer_auc

VIEWERS, CANDIDATES, TOWNS = 30, 12, 80
VIEWER, CANDIDATE = np.indices((VIEWERS, CANDIDATES)).reshape(2, -1)


def by_brute_force(
    lists: Int64Array, viewer: Int64Array, candidate: Int64Array, label: BoolArray, score: Float64Array
) -> float:
    """From all duels of a like and a pass in one list: sums of what each says too much, by viewer and by candidate."""
    duels = []
    for each in np.unique(lists):
        rows = np.flatnonzero(lists == each)
        likes, passes = rows[label[rows]], rows[~label[rows]]
        for like, other in product(likes, passes):
            right = float(score[like] > score[other]) + float(score[like] == score[other]) / 2
            duels.append((viewer[like], candidate[like], candidate[other], right, len(likes) * len(passes)))
    whose, liked, passed, won, among = (np.array(column) for column in zip(*duels, strict=True))
    weight = 1 / among / (1 / among).sum()
    excess = weight * (won - weight @ won)
    of_viewers = [excess[whose == one].sum() for one in np.unique(whose)]
    of_candidates = [excess[(liked == one) | (passed == one)].sum() for one in np.union1d(liked, passed)]
    sums = [np.sum(np.square(part)) * len(part) / (len(part) - 1) for part in (of_viewers, of_candidates)]
    return float(np.sqrt(sum(sums)))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_duels_say_by_viewer_and_by_candidate(seed: int) -> None:
    """Two lists of each viewer, of some of the same candidates, with ties."""
    random = np.random.default_rng(seed)
    viewer, draw, candidate = np.indices((6, 2, 6)).reshape(3, -1)[:, random.random(72) < 0.8]
    label, score = random.random(len(viewer)) < 0.5, random.integers(0, 4, len(viewer)) / 4
    rows = (2 * viewer + draw, viewer, candidate, label, score)
    assert estimate_within_viewer_auc_error(*rows) == pytest.approx(by_brute_force(*rows))


def test_by_hand() -> None:
    """One viewer is right and one wrong about the same two: 1 and 0 from the mean of 0.5, each half of it."""
    error = estimate_within_viewer_auc_error([1, 1, 2, 2], [1, 1, 2, 2], [7, 8, 7, 8], [1, 0, 0, 1], [2, 1, 2, 1])
    assert error == pytest.approx(math.sqrt(2 * (0.25**2 + 0.25**2) + 0))


def test_of_fewer_than_two_viewers_nothing_is_known() -> None:
    assert math.isnan(
        estimate_within_viewer_auc_error([1, 1, 2, 2], [1, 1, 1, 1], [7, 8, 7, 8], [1, 0, 0, 1], [2, 1, 2, 1])
    )
    assert math.isnan(estimate_within_viewer_auc_error([1, 2], [1, 2], [7, 8], [1, 0], [2, 1]))
    assert math.isnan(estimate_within_viewer_auc_error([], [], [], [], []))


def spread(towns: list[tuple[float, float]]) -> float:
    """The standard deviation of the AUC over towns, in standard errors."""
    auc, error = np.array(towns).T
    return float(auc.std(ddof=1) / np.sqrt(np.mean(error**2)))


def test_it_is_the_spread_of_towns_whose_candidates_are_liked_by_all_or_by_none() -> None:
    """Scores know nothing of it, but by chance stand with it or against it for all viewers at once."""
    random, found, by_lists = np.random.default_rng(1), [], []
    for _ in range(TOWNS):
        liked = random.random(len(VIEWER)) < random.choice([0.15, 0.85], CANDIDATES)[CANDIDATE]
        score = random.normal(size=CANDIDATES)[CANDIDATE]
        auc = compute_within_viewer_auc(VIEWER, liked, score)
        found.append((auc, estimate_within_viewer_auc_error(VIEWER, VIEWER, CANDIDATE, liked, score)))
        # As if everybody had been shown others.
        by_lists.append((auc, estimate_within_viewer_auc_error(VIEWER, VIEWER, np.arange(len(VIEWER)), liked, score)))
    assert spread(found) == pytest.approx(1, abs=0.25)
    assert spread(by_lists) > 3


def test_it_is_the_spread_of_noise_scored_by_what_other_folds_learned() -> None:
    """Each half of the viewers is scored by how often the other half liked: the same chance counts in both."""
    random, found = np.random.default_rng(2), []
    for _ in range(TOWNS):
        liked = random.random((VIEWERS, CANDIDATES)) < 0.4
        half = np.arange(VIEWERS) % 2
        rates = np.array([liked[half != each].mean(axis=0) for each in half]).ravel()
        auc = compute_within_viewer_auc(VIEWER, liked.ravel(), rates)
        found.append((auc, estimate_within_viewer_auc_error(VIEWER, VIEWER, CANDIDATE, liked.ravel(), rates)))
    assert spread(found) == pytest.approx(1, abs=0.25)
