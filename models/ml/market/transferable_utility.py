"""Stable matching with transferable utility: the strongest published policy that is cheap."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.compiled import by_parts, compiled
from models.ml.market.examination import Doubles
from models.ml.market.town import Ints, Slots, Town, taken
from models.ml.people import Floats

Bounds = NDArray[np.uint64]
People = NDArray[np.uint32]

ITERATIONS = 100
PRECISE = 1e-4
# Of a sum of products; weights down to 1e-38 have all their digits, and what is smaller is none of such a sum.
TINY = 1e-25


def transferable_utility(town: Town, beta: float = 1.0, iterations: int = ITERATIONS) -> Floats:
    """Scores of pairs, float32 (n,) by slot: each viewer's order in the stable matching with transferable utility.

    With K = exp((p_like + p_liked_back) / (2 beta)) find A of viewers and B of candidates such that A² + A (K B) = 1
    and B² + B (Kᵀ A) = 1, by iterative proportional fitting, and rank by K A B (Choo & Siow, JPE 2006; Tomita, Togashi
    & Moriwaki, RecSys 2022; the baseline of Su, Bayoumi & Joachims, WWW 2022). In logarithms where need be, so that any
    beta from 1e-30 will do: small ones give everybody few partners, large ones ignore the preferences. It stops when no
    logarithm moves by more than 1e-4, or after `iterations`.
    """
    log_k = (town.p_like + town.p_liked_back) / np.float32(2 * beta)
    log_k_by_list = taken(log_k, town.slots, town.list_start)
    lists = _side(town.list_start, log_k_by_list, taken(town.candidate, town.slots, town.list_start))
    inboxes = _side(town.inbox_start, log_k, town.viewer)
    log_b = np.zeros(len(town.keys))
    for _ in range(iterations):
        before = log_b
        log_b = _fitted(inboxes, _fitted(lists, log_b))
        if np.abs(log_b - before).max(initial=0.0) < PRECISE:
            break
    return log_k + log_b.astype(np.float32)[town.candidate]  # a viewer's own A changes nothing in their order


@dataclass(frozen=True)
class _Side:
    """Everybody's pairs on one side: K as logarithms and, over its largest for the person, as it is.

    In single precision, like the chances K is made of: a fit takes as long as the numbers take to come from memory.
    Bounds and people are unsigned: where an index might count from the end, a fit takes more than twice as long.
    """

    start: Bounds
    log_k: Floats
    top: Doubles
    weight: Floats
    other: People


def _side(start: Ints, log_k: Floats, other: Slots) -> _Side:
    side = _Side(start.view(np.uint64), log_k, np.zeros(len(start) - 1), np.empty_like(log_k), other.view(np.uint32))
    by_parts(lambda first, last: _weigh(first, last, side.start, log_k, side.top, side.weight), start)
    return side


@compiled
def _weigh(first: int, last: int, start: Bounds, log_k: Floats, top: Doubles, weight: Floats) -> None:
    for person in range(first, last):
        own = log_k[start[person] : start[person + 1]]
        if len(own):
            top[person] = own.max()
            weight[start[person] : start[person + 1]] = np.exp(own - own.max())


def _fitted(side: _Side, log_other: Doubles) -> Doubles:
    """The logarithm of A such that A² + A S = 1, where S sums K B over each person's pairs, float64 (people,)."""
    found, highest = np.zeros(len(side.top)), float(log_other.max(initial=0.0))
    scaled = np.exp(log_other - highest)

    def part(first: int, last: int) -> None:
        numbers = (side.start, side.log_k, side.top, side.weight, side.other, log_other, scaled, highest)
        _fit(first, last, *numbers, found)

    by_parts(part, side.start.view(np.int64))
    return found


@compiled
def _fit(
    first: int,
    last: int,
    start: Bounds,
    log_k: Floats,
    top: Doubles,
    weight: Floats,
    other: People,
    log_other: Doubles,
    scaled: Doubles,
    highest: float,
    found: Doubles,
) -> None:
    for person in range(first, last):
        total, above = 0.0, top[person] + highest
        for pair in range(start[person], start[person + 1]):
            total += weight[pair] * scaled[other[pair]]
        if total < TINY:  # where products vanish, in logarithms, which take twice the time
            above = -np.inf
            for pair in range(start[person], start[person + 1]):
                above = max(above, log_k[pair] + log_other[other[pair]])
            total = 0.0
            for pair in range(start[person], start[person + 1]):
                total += math.exp(log_k[pair] + log_other[other[pair]] - above)
        if total > 0:
            log_sum = above + math.log(total)
            # A = sqrt(1 + (S/2)²) - S/2 = exp(-asinh(S/2)), and asinh(x) nears log(2 x).
            found[person] = -math.asinh(math.exp(log_sum) / 2) if log_sum < 30 else -log_sum
