"""The markets that policies are compared in: those of a publication, and sparse populations; estimates of either."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.market import AttentionModel, build_market_graph, rank_market, rank_pairs
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.outcomes.inequality import compute_expected_exposure
from models.ml.market.outcomes.list_likes import ListLikes, compute_list_likes
from models.ml.market.policies.transferable_utility import compute_transferable_utility
from models.ml.market.two_sided import build_two_sided_graph, sort_receivers
from models.ml.validation.score_metrics import compute_auc

SEED = 621
CANDIDATES = 200  # of each user in a sparse population
LABELS = 400_000  # likes and passes drawn to measure an AUC
HISTORY = 10  # decisions about each user: popularity alone then has the AUC that it has in the demo, 0.615


class Cell(NamedTuple):
    """A market of Su, Bayoumi & Joachims (WWW 2022) with expected matches: three published columns, and an early best
    response of ours."""

    environment: str
    examination: str
    crowding: float
    receivers: int
    naive: float
    reciprocal: float
    social_welfare: float
    trial: float


# Their README prints 65.1 for naive in the environment "reverse"; its own code gives 85.1.
CELLS = [
    Cell("random", "inv", 0, 100, 156.3, 199.9, 198.5, 203.1),
    Cell("random", "inv", 0.25, 100, 128.7, 166.6, 173.5, 177.1),
    Cell("random", "inv", 0.5, 100, 106.9, 131.0, 152.7, 155.0),
    Cell("random", "inv", 0.75, 100, 95.0, 105.0, 134.2, 134.9),
    Cell("random", "inv", 1, 100, 92.1, 92.1, 118.2, 120.2),
    Cell("similar", "inv", 0.5, 100, 126.2, 143.8, 167.4, 169.6),
    Cell("reverse", "inv", 0.5, 100, 85.1, 104.5, 128.4, 130.2),
    Cell("random", "exp", 0.5, 100, 25.9, 47.8, 84.4, 85.2),
    Cell("random", "log", 0.5, 100, 639.2, 669.7, 673.7, 674.5),
    Cell("random", "inv", 0.5, 20, 18.7, 21.2, 23.2, 23.5),
    Cell("random", "inv", 0.5, 50, 50.7, 61.4, 68.9, 69.9),
    Cell("random", "inv", 0.5, 200, 220.1, 274.3, 332.6, 338.0),
]


def market(environment: str, crowding: float, receivers: int, seed: int = SEED) -> tuple[Float64Array, Float64Array]:
    """P(proposer likes receiver) and P(receiver likes proposer), both (1.5 n, n), by their protocol.

    The second is independent ("random"), like the first ("similar") or its opposite ("reverse"), the latter two with
    noise of 0.2. Both are mixed, in the proportion `crowding`, with a popularity that falls evenly over the users.
    """
    generator = np.random.RandomState(seed)
    proposers = int(1.5 * receivers)
    like = generator.uniform(0, 1, (proposers, receivers))
    if environment == "random":
        liked_back = generator.uniform(0, 1, (receivers, proposers))
    else:
        taste = {"similar": like.T, "reverse": 1 - like.T}[environment]
        liked_back = np.clip(taste + generator.normal(0, 0.2, (receivers, proposers)), 0, 1)
    return _crowded(like, crowding), _crowded(liked_back, crowding).T


def _crowded(chance: Float64Array, crowding: float) -> Float64Array:
    popularity = 1 - np.arange(chance.shape[1]) / chance.shape[1]
    return np.asarray((1 - crowding) * chance + crowding * popularity)


@dataclass
class Pairs:
    """n eligible pairs, both directions of each: the second half of the rows is the first the other way round."""

    people: int
    viewer: Int64Array
    candidate: Int64Array
    p_like: Float32Array
    p_liked_back: Float32Array = field(init=False)

    def __post_init__(self) -> None:
        self.p_liked_back = np.roll(self.p_like, len(self.p_like) // 2)


def sparse_population(people: int, crowding: float, seed: int = SEED) -> Pairs:
    """Random pairs, CANDIDATES a user on average. p_like is uniform, mixed with the candidate's popularity, which is
    uniform too, in the proportion `crowding`, as in the published markets.
    """
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, people, (2, people * CANDIDATES // 2))
    ends = ends[:, ends[0] != ends[1]]
    one, other = np.divmod(np.unique(ends.min(axis=0) * people + ends.max(axis=0)), people)
    candidate = np.concatenate([other, one])
    popularity = rng.permutation(people).astype(np.float32) / people
    p_like = (1 - crowding) * rng.random(len(candidate), np.float32) + crowding * popularity[candidate]
    return Pairs(people, np.concatenate([one, other]), candidate, p_like.astype(np.float32))


def outcome(pairs: Pairs, listed: Int64Array, lists: Curve = "inv") -> tuple[ListLikes, Float64Array]:
    """The likes that follow from lists, and each user's expected impressions, (people,).

    `listed` are the rows of the pairs that make the lists, by viewer, best first.
    """
    viewer, candidate = pairs.viewer[listed], pairs.candidate[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    position = np.arange(1, len(listed) + 1) - np.repeat(starts, np.diff(starts, append=len(listed)))
    sent = compute_list_likes(viewer, candidate, pairs.p_like[listed], pairs.p_liked_back[listed], position, lists)
    return sent, compute_expected_exposure(candidate, position, pairs.people, lists)


def as_a_ranker_sees(true: Pairs, wanted_auc: float, seed: int = 1) -> Pairs:
    """Calibrated estimates: popularity from HISTORY decisions about each user, and as much of each viewer's own taste
    as brings the AUC of likes and passes to `wanted_auc`, or none if it is above that without.
    """
    rng = np.random.default_rng(seed)
    share = np.bincount(true.candidate, true.p_like) / np.bincount(true.candidate)
    seen = rng.binomial(HISTORY, share) / HISTORY
    trust = share.var() / (share.var() + (share * (1 - share)).mean() / HISTORY)
    popularity = (share.mean() + trust * (seen - share.mean()))[true.candidate]
    taste = true.p_like - share[true.candidate]
    noise = taste.std() * rng.standard_normal(len(taste))

    def estimate(known: float) -> Float32Array:
        taste_seen = known * (known * taste + np.sqrt(1 - known**2) * noise)
        return np.asarray(np.clip(popularity + taste_seen, 0.001, 0.999), np.float32)

    return _reaching(true, estimate, wanted_auc, rng)


def with_noise(true: Pairs, wanted_auc: float, seed: int = 1) -> Pairs:
    """Calibrated estimates with independent noise in each pair's log-odds, so that popularity is seen no better than
    taste: as much as brings the AUC of likes and passes to `wanted_auc`.
    """
    rng = np.random.default_rng(seed)
    within = np.clip(true.p_like, 1e-4, 1 - 1e-4)
    odds, noise = np.log(within / (1 - within)), rng.standard_normal(len(within)).astype(np.float32)
    return _reaching(true, lambda known: _calibrated(odds + (1 / known - 1) * noise, true.p_like), wanted_auc, rng)


def _reaching(
    true: Pairs, estimate: Callable[[float], Float32Array], wanted_auc: float, rng: np.random.Generator
) -> Pairs:
    """The estimates of that AUC, which grows with how much is known, from 0 to 1."""
    sample = rng.integers(0, len(true.p_like), LABELS)
    liked = rng.random(LABELS) < true.p_like[sample]
    low, high = 0.0, 1.0
    while high - low > 1 / 256:
        known = (low + high) / 2
        low, high = (known, high) if compute_auc(liked, estimate(known)[sample]) < wanted_auc else (low, known)
    return replace(true, p_like=estimate(high))


def _calibrated(score: Float32Array, chance: Float32Array, bins: int = 1000) -> Float32Array:
    """The mean chance around each score, interpolated between a thousand bins."""
    order = np.array_split(np.argsort(score), min(bins, len(score)))
    middles = [float(score[part].mean()) for part in order]
    return np.interp(score, middles, [float(chance[part].mean()) for part in order]).astype(np.float32)


def reached_auc(true: Pairs, seen: Pairs, seed: int = 2) -> float:
    """How well estimates order likes and passes that are drawn from the truth."""
    return compute_auc(np.random.default_rng(seed).random(len(true.p_like)) < true.p_like, seen.p_like)


def _by_score(score: Float64Array) -> Int64Array:
    return np.argsort(-score, axis=1, kind="stable")


def _transferable_utility(like: Float64Array, liked_back: Float64Array, _examination: str) -> Int64Array:
    graph = build_two_sided_graph(like, liked_back)
    return sort_receivers(graph, compute_transferable_utility(graph, beta=1), (len(like), like.shape[1]))


# Of both directions, (proposers, receivers), and the examination curve: each proposer's receivers, best first.
TWO_SIDED: dict[str, Callable[[Float64Array, Float64Array, str], Int64Array]] = {
    "naive": lambda like, _liked_back, _examination: _by_score(like),
    "product": lambda like, liked_back, _examination: _by_score(like * liked_back),
    "TU β=1": _transferable_utility,
    "best response": rank_market,
}
SPARSE = {
    "product": ("product", 1.0),
    "tuned TU": ("transferable_utility", 1.0),
    "best response": ("best_response", 1.0),
    "hedged": ("best_response", 0.5),
}
"""The name of a policy and its inbox weight."""


def make_lists(name: str, pairs: Pairs, inbox: str) -> Int64Array:
    """The rows of the pairs that make the lists of one of SPARSE, if inboxes are as the curve says."""
    policy, weight = SPARSE[name]
    graph = build_market_graph(pairs.viewer, pairs.candidate, pairs.p_like, pairs.p_liked_back)
    return rank_pairs(graph, policy, AttentionModel("inv", inbox, inbox_weight=weight))
