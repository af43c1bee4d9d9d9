"""Stable matching with transferable utility: the strongest published policy that is cheap."""

import math

import numpy as np

from models.ml.compiled import by_parts, compiled
from models.ml.market.examination import Doubles
from models.ml.market.town import Ints, Slots, Town
from models.ml.people import Floats

ITERATIONS = 100
PRECISE = 1e-4


def transferable_utility(town: Town, beta: float = 1.0, iterations: int = ITERATIONS) -> Floats:
    """Scores of pairs, float32 (n,) by slot: each viewer's order in the stable matching with transferable utility.

    With K = exp((p_like + p_liked_back) / (2 beta)) find A of viewers and B of candidates such that A² + A (K B) = 1
    and B² + B (Kᵀ A) = 1, by iterative proportional fitting, and rank by K A B (Choo & Siow, JPE 2006; Tomita, Togashi
    & Moriwaki, RecSys 2022; the baseline of Su, Bayoumi & Joachims, WWW 2022). In logarithms throughout, so that any
    beta > 0 will do: small ones give everybody few partners, large ones ignore the preferences. It stops when no
    logarithm moves by more than 1e-4, or after `iterations`.
    """
    log_k = (town.p_like.astype(np.float64) + town.p_liked_back) / (2 * beta)
    by_list, shown = log_k[town.slots], town.candidate[town.slots]
    people = len(town.keys)
    log_a, log_b = np.zeros(people), np.zeros(people)
    for _ in range(iterations):
        before = log_b
        log_a = _fitted(town.list_start, by_list, shown, log_b)
        log_b = _fitted(town.inbox_start, log_k, town.viewer, log_a)
        if np.abs(log_b - before).max(initial=0.0) < PRECISE:
            break
    return (log_k + log_b[town.candidate]).astype(np.float32)  # a viewer's own A changes nothing in their order


def _fitted(start: Ints, log_k: Doubles, other: Slots, log_other: Doubles) -> Doubles:
    """The logarithm of A such that A² + A S = 1, where S sums K B over each person's pairs, float64 (people,)."""
    found = np.zeros(len(start) - 1)

    def part(first: int, last: int) -> None:
        _fit(first, last, start, log_k, other, log_other, found)

    by_parts(part, start)
    return found


@compiled
def _fit(first: int, last: int, start: Ints, log_k: Doubles, other: Slots, log_other: Doubles, found: Doubles) -> None:
    for person in range(first, last):
        top, total = -np.inf, 0.0
        for pair in range(start[person], start[person + 1]):
            top = max(top, log_k[pair] + log_other[other[pair]])
        for pair in range(start[person], start[person + 1]):
            total += math.exp(log_k[pair] + log_other[other[pair]] - top)
        if total > 0:
            log_sum = top + math.log(total)
            # A = sqrt(1 + (S/2)²) - S/2 = exp(-asinh(S/2)), and asinh(x) nears log(2 x).
            found[person] = -math.asinh(math.exp(log_sum) / 2) if log_sum < 30 else -log_sum
