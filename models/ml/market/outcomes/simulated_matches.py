"""Monte Carlo simulation of likes, responses and matches."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, FloatArray, Int64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.list_likes import ListLikes

# Random numbers per batch, runs times likes. Bounds memory, at about 20 bytes each.
DRAWS_PER_BATCH = 4_000_000


@dataclass(frozen=True)
class SimulationEstimate:
    """Mean of independent runs, and its standard error, which is NaN for a single run."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class SimulationResult:
    """Estimates over the simulated runs."""

    matches: SimulationEstimate
    """Distinct matches."""
    matched_people: SimulationEstimate
    """Users with at least one match."""


def simulate_matches(
    likes: ListLikes,
    inbox: Curve = "inv",
    runs: int = 1000,
    seed: int = 0,
    draws_per_batch: int = DRAWS_PER_BATCH,
) -> SimulationResult:
    """Simulate the matches of lists `runs` times; the same seed gives the same result."""
    rng = np.random.default_rng(seed)
    couples, ends = _group_by_name(likes.couple), _group_by_name(np.concatenate([likes.viewer, likes.receiver]))
    counts = np.empty((runs, 2))
    at_once = max(1, draws_per_batch // max(1, len(likes.sent)))
    for start in range(0, runs, at_once):
        matched = draw_returned_likes(likes, min(at_once, runs - start), rng, inbox)
        part = counts[start : start + at_once]
        part[:, 0] = _find_any_match(matched, *couples).sum(axis=1)
        part[:, 1] = _find_any_match(np.tile(matched, 2), *ends).sum(axis=1)
    matches, matched_people = (estimate_mean(column) for column in counts.T)
    return SimulationResult(matches, matched_people)


def estimate_mean(values: FloatArray) -> SimulationEstimate:
    """Estimate the mean of independent values and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return SimulationEstimate(float(values.mean()), float(error))


def draw_returned_likes(likes: ListLikes, runs: int, rng: np.random.Generator, inbox: Curve = "inv") -> BoolArray:
    """Draw which likes are sent and returned, bool (runs, k); runs are independent."""
    examination = evaluate_curve(inbox, int(likes.sizes.max(initial=1)))
    sent = rng.random((runs, len(likes.sent))) < likes.sent
    arrived = np.cumsum(sent, axis=1, dtype=np.int32)
    elsewhere = np.repeat(arrived[:, likes.starts] - sent[:, likes.starts], likes.sizes, axis=1)
    # For a like that is not sent, the index is meaningless and may be -1; the result is discarded.
    chance = likes.welcome * examination[arrived - elsewhere - 1]
    return np.asarray(sent & (rng.random(sent.shape) < chance))


def _group_by_name(name: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return an order that groups equal names, and the start of each group."""
    order = np.argsort(name, kind="stable")
    return order, np.flatnonzero(np.diff(name[order], prepend=-1))


def _find_any_match(matched: BoolArray, order: Int64Array, starts: Int64Array) -> BoolArray:
    """Return whether any like of each group matched, bool (runs, groups)."""
    if not len(starts):
        return np.zeros((len(matched), 0), bool)
    return np.asarray(np.logical_or.reduceat(matched[:, order], starts, axis=1))
