"""Scored pairs for the tests of the market: random, and drawn by hypothesis."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph

SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Pairs:
    viewer: NDArray[np.int64]
    candidate: NDArray[np.int64]
    p_like: NDArray[np.float32]
    p_liked_back: NDArray[np.float32]
    people: int

    def graph(self, p_pending: Float64Array | None = None) -> MarketGraph:
        pairs = (self.viewer, self.candidate, self.p_like, self.p_liked_back)
        return build_market_graph(*pairs, keys(self.people), p_pending)

    def take(self, rows: NDArray[np.integer]) -> "Pairs":
        people = (self.viewer[rows], self.candidate[rows])
        return Pairs(*people, self.p_like[rows], self.p_liked_back[rows], self.people)


def keys(people: int) -> NDArray[np.uint64]:
    return hash_splitmix64(np.arange(7, people + 7, dtype=np.uint64))


def of_chances(chances: Float64Array, eligible: NDArray[np.bool_]) -> Pairs:
    """Everybody's chance to like everybody, and who may be shown whom, both (people, people)."""
    viewer, candidate = np.nonzero(eligible)
    p_like, back = chances[viewer, candidate].astype(np.float32), chances[candidate, viewer].astype(np.float32)
    return Pairs(viewer, candidate, p_like, back, len(chances))


def crowded(people: int, seed: int, share: float = 0.3) -> Pairs:
    """Any two may be shown each other with the probability `share`; half of a like is taste, half popularity."""
    rng = np.random.default_rng(seed)
    liked = 1 - rng.permutation(people) / people
    chances = (rng.random((people, people)) + liked) / 2
    above = np.triu(rng.random((people, people)) < share, 1)
    return of_chances(chances, above | above.T)


@st.composite
def pairs(draw: st.DrawFn, most: int = 7, one_sided: bool = False) -> Pairs:
    """A small market in which anything may be equal, 0 or 1, and anybody may have no candidate, or be none.

    In a one-sided market the first half are viewers, the others candidates.
    """
    people = draw(st.integers(1, most))
    rng = np.random.default_rng(draw(SEEDS))
    values = np.array(draw(st.sampled_from([[0.5], [0.0, 1.0], [0.0, 0.25, 0.5, 1.0], [0.1, 0.2, 0.3, 0.7, 0.9]])))
    eligible = rng.random((people, people)) < draw(st.sampled_from([0.0, 0.3, 0.8, 1.0]))
    eligible &= ~np.eye(people, dtype=bool)
    eligible[:, rng.random(people) < 0.2] = False
    if one_sided:
        eligible[:, : people // 2] = eligible[people // 2 :] = False
    return of_chances(rng.choice(values, (people, people)), eligible)
