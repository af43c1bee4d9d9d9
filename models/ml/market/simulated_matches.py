"""Matches by drawing lots: what happens in the town, over and over, like by like and answer by answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.market.examination import Curve, Doubles, curve
from models.ml.market.likes import Ints, Likes

Flags = NDArray[np.bool_]

# Lots drawn at once, towns times likes: this bounds memory, at some 20 bytes a lot.
LOTS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """The mean of independent runs, and its standard error; NaN for a single run."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class Simulated:
    """What the simulated towns came to."""

    matches: Estimate
    """Distinct matches."""
    matched_people: Estimate
    """People with at least one match."""


def simulated_matches(likes: Likes, inbox: Curve = "inv", runs: int = 1000, seed: int = 0) -> Simulated:
    """Distinct matches in `runs` simulated towns, the same for the same seed. `inbox` is the inboxes' curve."""
    rng = np.random.default_rng(seed)
    couples, ends = _groups(likes.couple), _groups(np.concatenate([likes.viewer, likes.receiver]))
    looks = curve(inbox, int(likes.sizes.max(initial=1)))
    counts = np.empty((runs, 2))
    at_once = max(1, LOTS_AT_ONCE // max(1, len(likes.sent)))
    for start in range(0, runs, at_once):
        matched = _matched(likes, looks, min(at_once, runs - start), rng)
        part = counts[start : start + at_once]
        part[:, 0] = _any(matched, *couples).sum(axis=1)
        part[:, 1] = _any(np.tile(matched, 2), *ends).sum(axis=1)
    matches, matched_people = (estimate(column) for column in counts.T)
    return Simulated(matches, matched_people)


def estimate(values: NDArray[np.floating]) -> Estimate:
    """The mean of independent values, and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return Estimate(float(values.mean()), float(error))


def _matched(likes: Likes, looks: Doubles, runs: int, rng: np.random.Generator) -> Flags:
    """Which likes were sent and answered, (runs, k)."""
    sent = rng.random((runs, len(likes.sent))) < likes.sent
    arrived = np.cumsum(sent, axis=1, dtype=np.int32)
    elsewhere = np.repeat(arrived[:, likes.starts] - sent[:, likes.starts], likes.sizes, axis=1)
    # Where nothing was sent the place means nothing, and may be 0: it is not used.
    chance = likes.welcome * looks[arrived - elsewhere - 1]
    return np.asarray(sent & (rng.random(sent.shape) < chance))


def _groups(name: Ints) -> tuple[Ints, Ints]:
    """An order that puts equal names together, and where each of them starts."""
    order = np.argsort(name, kind="stable")
    return order, np.flatnonzero(np.diff(name[order], prepend=-1))


def _any(matched: Flags, order: Ints, starts: Ints) -> Flags:
    """Whether any like of a group matched, (runs, groups)."""
    if not len(starts):
        return np.zeros((len(matched), 0), bool)
    return np.asarray(np.logical_or.reduceat(matched[:, order], starts, axis=1))
