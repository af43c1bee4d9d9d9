"""A market of regions whose truth is known: lists by the real policies, and nights drawn from true probabilities."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.market import AttentionModel, MarketGraph, build_market_graph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import ListLikes, compute_list_likes
from models.ml.market.outcomes.simulated_matches import draw_returned_likes
from models.ml.market.policies.best_response import compute_best_response
from models.ml.market.policies.policy_registry import score_product

BLOCKS = 24
"""Of each sweep of best response: fewer than the product has in so small a market, and so faster."""
CROWDING = 0.5
"""Share of popularity in p_like, as in the published markets."""
ATTENTION = AttentionModel(inbox_weight=1.0)
"""What the policies assume, and what holds: likes are told, and inboxes are examined as lists are."""


@dataclass(frozen=True)
class RegionalMarket:
    """People in regions, and the scored pairs among them.

    Attributes:
        region: Number of each person's region, int64 (people,).
        graph: The pairs with their true probabilities.
    """

    region: Int64Array
    graph: MarketGraph

    @property
    def people(self) -> int:
        return len(self.region)

    @cached_property
    def plain(self) -> tuple[ListLikes, ListLikes]:
        """The likes of all in the control, and of all in the treatment."""
        everybody = np.ones(self.people, bool)
        return self.make_likes(~everybody), self.make_likes(everybody)

    @cached_property
    def true_lift(self) -> float:
        """The logarithm of matches with the treatment for all over matches with the control for all."""
        control, treatment = (compute_expected_matches(likes) for likes in self.plain)
        return float(np.log(treatment / control))

    def make_likes(self, treated: BoolArray) -> ListLikes:
        """The likes of one publication: best response for some, in answer to the order of p_match for the others."""
        graph, scores = self.graph, score_product(self.graph, ATTENTION)
        if treated.any():
            scores = compute_best_response(graph, ATTENTION, scores, blocks=BLOCKS, viewers=treated)
        place = compute_positions(graph, scores, ATTENTION.length) + 1
        return compute_list_likes(graph.viewer, graph.candidate, graph.p_like, graph.p_liked_back, place)


def make_regional_market(
    regions: int = 24, size: int = 60, candidates: int = 40, across: float = 0.05, seed: int = 1
) -> RegionalMarket:
    """Make a market in which people see mostly people of their own region, else of the next two.

    Args:
        regions: The number of regions, which lie on a ring.
        size: People of a region; regions differ by a factor of about two.
        candidates: Candidates of a person, on average.
        across: The part of them in other regions.
        seed: Another seed makes another market.
    """
    rng = np.random.default_rng(seed)
    sizes = np.maximum((size * rng.lognormal(0, 0.3, regions)).astype(int), 5)
    region = np.repeat(np.arange(regions), sizes)
    start, people = np.cumsum(sizes) - sizes, len(region)
    one = np.repeat(np.arange(people), candidates // 2)
    moved = (rng.random(len(one)) < across) * rng.choice([-1, 1], len(one))
    where = (region[one] + moved) % regions
    other = start[where] + (rng.random(len(one)) * sizes[where]).astype(int)
    couples = np.unique(np.sort(np.column_stack([one, other])[one != other], axis=1), axis=0)
    viewer, candidate = np.concatenate([couples, couples[:, ::-1]]).T
    popularity = rng.permutation(people) / people
    p_like = (1 - CROWDING) * rng.random(len(viewer)) + CROWDING * popularity[candidate]
    graph = build_market_graph(viewer, candidate, p_like, np.roll(p_like, len(couples)))
    return RegionalMarket(region.astype(np.int64), graph)


def draw_nights(likes: ListLikes, nights: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """The matches of each night as pairs of people, int64 (matches, 2): a couple matches once a night at most."""
    first, couple = np.unique(likes.couple, return_index=True)[1], likes.couple
    drawn = draw_returned_likes(likes, nights, rng)
    ends = np.column_stack([likes.viewer, likes.receiver])[first]
    return [ends[np.unique(couple[night])] for night in drawn]


def count_matches(nights: list[NDArray[np.int64]], people: int) -> Float64Array:
    """The matches of each person in each night, float64 (nights, people)."""
    return np.array([np.bincount(ends.ravel(), minlength=people) for ends in nights], np.float64)
