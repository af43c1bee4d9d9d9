"""Expected matches, exactly: the number of likes above another in an inbox is Poisson-binomial."""

import numpy as np

from models.ml.market.examination import Curve, Doubles, curve
from models.ml.market.likes import Ints, Likes

# Chance that more likes arrive in an inbox than are followed.
NEGLIGIBLE = 1e-12
INBOXES_AT_ONCE = 2048


def expected_matches(likes: Likes, inbox: Curve = "inv") -> float:
    """Expected number of distinct matches: exact to about 1e-12 a like, since likes are independent of each other."""
    return float(couple_chances(likes, inbox).sum())


def couple_chances(likes: Likes, inbox: Curve = "inv") -> Doubles:
    """Probability that each unordered pair matches, float64 (couples,): a + b - ab where both lists show it.

    The two ways are independent: they have no like, answer or rival in common.
    """
    missed = _log_missed(match_chances(likes, inbox))
    return -np.expm1(np.bincount(likes.couple, missed))


def match_chances(likes: Likes, inbox: Curve = "inv") -> Doubles:
    """Probability that each like is sent and answered, float64 (k,)."""
    return likes.sent * answer_chances(likes, inbox)


def answer_chances(likes: Likes, inbox: Curve = "inv") -> Doubles:
    """Probability that a like, once sent, is answered: E min(1, welcome x v(1 + X)), float64 (k,), v the inbox's curve.

    X, the number of more welcome likes, is Poisson-binomial. Its distribution is carried from each like to the next by
    direct convolution (Hong 2013, Comput. Stat. Data Anal. 59). Cost: likes x the most that any inbox of a
    block of similar size can be expected to hold; 3 million likes take seconds, and so do 1,000 x 1,500 people dense.
    """
    answered = np.empty(len(likes.sent))
    largest_first = np.argsort(-likes.sizes, kind="stable")
    for start in range(0, len(largest_first), INBOXES_AT_ONCE):
        _look_through(likes, largest_first[start : start + INBOXES_AT_ONCE], inbox, answered)
    return answered


def _look_through(likes: Likes, inboxes: Ints, inbox: Curve, answered: Doubles) -> None:
    """Fill in `answered` for some inboxes, the largest first."""
    starts, sizes = likes.starts[inboxes], likes.sizes[inboxes]
    support = min(int(sizes[0]) - 1, _most(_largest_total(likes, inboxes)))
    looks = curve(inbox, support + 1)
    above = np.zeros((len(sizes), support + 1))
    above[:, 0] = 1
    for place in range(sizes[0]):
        reaching = int(np.searchsorted(-sizes, -place))
        rows, now = starts[:reaching] + place, above[:reaching]
        answered[rows] = _answered(now, likes.welcome[rows], looks)
        one_more = now * likes.sent[rows, None]
        now -= one_more
        now[:, 1:] += one_more[:, :-1]


def _answered(above: Doubles, welcome: Doubles, looks: Doubles) -> Doubles:
    """E min(1, welcome x looks[X]), (inboxes,), X distributed as the rows of `above`."""
    over = np.flatnonzero(looks > 1)
    beyond = np.maximum(welcome[:, None] * looks[over] - 1, 0)
    return np.asarray(welcome * (above @ looks) - (above[:, over] * beyond).sum(axis=1))


def _largest_total(likes: Likes, inboxes: Ints) -> float:
    """The most likes that any of these inboxes can expect."""
    running = np.append(0.0, np.cumsum(likes.sent))
    starts = likes.starts[inboxes]
    return float((running[starts + likes.sizes[inboxes]] - running[starts]).max())


def _most(mean: float) -> int:
    """A number that a Poisson-binomial count of this mean exceeds with probability NEGLIGIBLE at most (Bernstein)."""
    nats = -np.log(NEGLIGIBLE)
    return int(np.ceil(mean + nats / 3 + np.sqrt((nats / 3) ** 2 + 2 * nats * mean)))


def _log_missed(chance: Doubles) -> Doubles:
    """log(1 - chance), minus infinity for a certain one."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-chance))
