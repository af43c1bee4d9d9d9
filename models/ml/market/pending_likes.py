"""Likes that wait for a decision of their receiver, and how they enter the receiver's list.

Where likes are told, a pending like is certain, and the receiver may answer it in the inbox without the list.

Where likes are secret, each viewer has raised candidates: pending likes, and decoys who have not liked the viewer. They
are weighed alike until the viewer decides on each of them, so nothing that is computed from the weights tells them
apart. Among the raised candidates of a viewer, the share of pending likes is at most `most_telling`.
"""

from math import ceil

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.top_k import find_top_k_threshold

MORE_DECOYS = 0.3
"""The share of likes that get one decoy more, since viewers look at likes a little more often than at decoys."""


def count_decoys(most_telling: float) -> int:
    """Return the number of decoys that a like needs, so that it is told with probability `most_telling` at most."""
    return ceil(1 / most_telling - 1e-9) - 1


def choose_raised(
    viewer: Int64Array, pending: BoolArray, raised: BoolArray, weight: FloatArray, most_telling: float, rng: Generator
) -> BoolArray:
    """Choose which of n scored pairs are raised tonight: those that are, new pending likes, and decoys for all.

    A viewer with too few candidates for the decoys of all likes gets as many likes raised as the decoys allow, and the
    others wait. Likes and decoys are drawn by weight without replacement (Efraimidis & Spirakis 2006).

    Args:
        viewer: The viewer of each pair, int64 (n,), in increasing order.
        pending: Whether the candidate has liked the viewer, bool (n,).
        raised: Whether the pair is raised already, bool (n,).
        weight: Weight of the pair as a decoy, (n,), 0 or more: see `decoy_weights`.
        most_telling: The share of likes among the raised pairs of a viewer, at most; in (0, 1].
        rng: Source of unpredictable numbers; viewers must not be able to repeat the draw.

    Returns:
        The raised pairs, bool (n,).
    """
    start = np.searchsorted(viewer, np.arange(int(viewer.max(initial=-1)) + 2))

    def count(pairs: BoolArray) -> Int64Array:
        return np.diff(np.append(0, np.cumsum(pairs))[start])

    per_like = count_decoys(most_telling)
    new, possible = pending & ~raised, ~pending & ~raised & (weight > 0)
    likes, decoys, wanted = count(raised & pending), count(raised & ~pending), count(new)
    allowed = wanted
    if per_like:
        free = count(possible)
        allowed = np.clip(np.minimum(free, decoys + free - per_like * likes) // per_like, 0, wanted)
    # Decoys of likes that have been decided are those that viewers do not look at: they do not cover new likes.
    fresh = per_like * allowed + (rng.binomial(allowed, MORE_DECOYS) if per_like else 0)
    missing = np.maximum(fresh, per_like * (likes + allowed) - decoys)
    drawn = _draw_some(start, new, np.ones(len(new)), allowed, rng)
    return raised | drawn | _draw_some(start, possible, weight, missing, rng)


def _draw_some(
    start: Int64Array, possible: BoolArray, weight: FloatArray, most: Int64Array, rng: Generator
) -> BoolArray:
    """Draw at most `most` of the possible pairs of each viewer by weight, bool (n,)."""
    race = np.full(len(possible), -np.inf)
    race[possible] = -rng.exponential(size=int(possible.sum())) / weight[possible]
    drawn = np.zeros(len(possible), bool)
    _keep_first(start, race, most, drawn)
    return drawn


@jit
def _keep_first(start: Int64Array, race: Float64Array, most: Int64Array, drawn: BoolArray) -> None:
    for viewer in range(len(most)):
        own = race[start[viewer] : start[viewer + 1]]
        if most[viewer] > 0 and len(own):
            last = find_top_k_threshold(own, min(most[viewer], len(own)))
            for row in range(len(own)):
                drawn[start[viewer] + row] = own[row] >= last and own[row] > -np.inf
