"""Exact expected matches: the number of stronger likes in an inbox is Poisson-binomial."""

import numpy as np

from models.ml.arrays import Float64Array, Int64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.list_likes import ListLikes

# Probability that more likes arrive in an inbox than the distribution covers.
NEGLIGIBLE = 1e-12
INBOXES_PER_BATCH = 2048


def compute_expected_matches(likes: ListLikes, inbox: Curve = "inv") -> float:
    """Compute the expected number of distinct matches, exact to about 1e-12 per like, as likes are independent."""
    return float(compute_couple_probabilities(likes, inbox).sum())


def compute_couple_probabilities(likes: ListLikes, inbox: Curve = "inv") -> Float64Array:
    """Compute the probability that each unordered pair matches, float64 (couples,): a + b - ab if both lists show it.

    The two ways are independent: they share no like, response or rival.
    """
    missed = _compute_log_complement(compute_match_probabilities(likes, inbox))
    return -np.expm1(np.bincount(likes.couple, missed))


def compute_match_probabilities(likes: ListLikes, inbox: Curve = "inv") -> Float64Array:
    """Compute the probability that each like is sent and returned, float64 (k,)."""
    return likes.sent * compute_response_probabilities(likes, inbox)


def compute_response_probabilities(
    likes: ListLikes, inbox: Curve = "inv", inboxes_per_batch: int = INBOXES_PER_BATCH
) -> Float64Array:
    """Compute the probability that a sent like is returned, float64 (k,): E min(1, welcome x v(1 + X)).

    v is the inbox curve and X, the number of stronger likes, is Poisson-binomial. Its distribution is updated from each
    like to the next by direct convolution (Hong 2013, Comput. Stat. Data Anal. 59). The cost is the number of likes
    times the largest number that an inbox in a batch of similar sizes is expected to hold.
    """
    answered = np.empty(len(likes.sent))
    largest_first = np.argsort(-likes.sizes, kind="stable")
    for start in range(0, len(largest_first), inboxes_per_batch):
        _fill_responses(likes, largest_first[start : start + inboxes_per_batch], inbox, answered)
    return answered


def _fill_responses(likes: ListLikes, inboxes: Int64Array, inbox: Curve, answered: Float64Array) -> None:
    """Write the response probabilities of some inboxes, the largest first, to `answered`."""
    starts, sizes = likes.starts[inboxes], likes.sizes[inboxes]
    support = min(int(sizes[0]) - 1, _bound_count(_find_largest_total(likes, inboxes)))
    looks = evaluate_curve(inbox, support + 1)
    above = np.zeros((len(sizes), support + 1))
    above[:, 0] = 1
    for place in range(sizes[0]):
        reaching = int(np.searchsorted(-sizes, -place))
        rows, now = starts[:reaching] + place, above[:reaching]
        answered[rows] = _compute_response(now, likes.welcome[rows], looks)
        one_more = now * likes.sent[rows, None]
        now -= one_more
        now[:, 1:] += one_more[:, :-1]


def _compute_response(above: Float64Array, welcome: Float64Array, examination: Float64Array) -> Float64Array:
    """Compute E min(1, welcome x examination[X]), (inboxes,), where X is distributed as the rows of `above`."""
    over = np.flatnonzero(examination > 1)
    beyond = np.maximum(welcome[:, None] * examination[over] - 1, 0)
    return np.asarray(welcome * (above @ examination) - (above[:, over] * beyond).sum(axis=1))


def _find_largest_total(likes: ListLikes, inboxes: Int64Array) -> float:
    """Find the largest expected number of likes among these inboxes."""
    running = np.append(0.0, np.cumsum(likes.sent))
    starts = likes.starts[inboxes]
    return float((running[starts + likes.sizes[inboxes]] - running[starts]).max())


def _bound_count(mean: float) -> int:
    """Compute a number that a Poisson-binomial count exceeds with probability at most NEGLIGIBLE (Bernstein)."""
    nats = -np.log(NEGLIGIBLE)
    return int(np.ceil(mean + nats / 3 + np.sqrt((nats / 3) ** 2 + 2 * nats * mean)))


def _compute_log_complement(chance: Float64Array) -> Float64Array:
    """Compute log(1 - chance), minus infinity where it is 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-chance))
