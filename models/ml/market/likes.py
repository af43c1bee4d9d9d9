"""What lists lead to: who likes whom from a list, in which place of an inbox the like stands, who answers.

Everybody likes from their own list: the candidate at place k with probability p_like x v(k), v the lists' examination
curve. The likes somebody receives wait in their inbox in the order of their own preference, and the one at place k is
answered with probability p_liked_back x v(k), v now the inbox's curve. Each like and each answer is a coin of its own.
A pair that both lists show can match through either, and is one match all the same.

The two-sided experiments of Su, Bayoumi & Joachims (WWW 2022) are the case in which one side has no lists: `two_sided`.
Their "log" curve exceeds 1 at its first place; a probability times it counts as at most 1, as it does there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.market.examination import Curve, Doubles, curve
from models.ml.ties import mixed

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Likes:
    """The likes that lists can bring: k listed pairs, each inbox's together, the likes most welcome to it first."""

    viewer: Ints
    """Who likes, (k,)."""
    receiver: Ints
    """Whose inbox the like waits in, (k,)."""
    sent: Doubles
    """Probability that the viewer looks at the candidate and likes them, (k,)."""
    welcome: Doubles
    """Probability that the receiver likes back, if they look at the like, (k,)."""
    starts: Ints
    """Where each inbox begins, (inboxes,)."""
    sizes: Ints
    """How many likes each inbox can get, (inboxes,)."""
    couple: Ints
    """Number of the unordered pair, from 0, (k,): the same for the two likes of a pair that both lists show."""


def likes(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: NDArray[np.floating],
    p_liked_back: NDArray[np.floating],
    place: NDArray[np.integer],
    lists: Curve = "inv",
) -> Likes:
    """The likes that lists of n pairs can bring, pairs and probabilities (n,).

    `place` (n,) is where the candidate stands in the viewer's list, from 1, or 0 for a pair that is not listed;
    `lists` is the examination curve of the lists. Equally welcome likes are put in order by a hash of the pair.
    """
    listed = np.flatnonzero(place > 0)
    pair = (viewer[listed].astype(np.uint64) << np.uint64(32)) ^ candidate[listed].astype(np.uint64)
    order = listed[np.lexsort((mixed(pair), -p_liked_back[listed], candidate[listed]))]
    sender, receiver = viewer[order].astype(np.int64), candidate[order].astype(np.int64)
    people = 1 + int(max(viewer.max(initial=-1), candidate.max(initial=-1)))
    looks = curve(lists, int(place.max(initial=1)))
    starts = np.flatnonzero(np.diff(receiver, prepend=-1))
    couple = np.unique(np.minimum(sender, receiver) * people + np.maximum(sender, receiver), return_inverse=True)[1]
    return Likes(
        viewer=sender,
        receiver=receiver,
        sent=np.minimum(p_like[order] * looks[place[order] - 1], 1),
        welcome=p_liked_back[order].astype(np.float64),
        starts=starts,
        sizes=np.diff(starts, append=len(order)),
        couple=couple,
    )


def two_sided(like: Doubles, liked_back: Doubles, order: NDArray[np.integer], lists: Curve = "inv") -> Likes:
    """The likes of a market with proposers and receivers, as `rank_market` speaks of it.

    All are (proposers, receivers): `like[i, j]` is P(proposer i likes receiver j), `liked_back[i, j]` P(j likes i), and
    `order` each proposer's receivers, best first. People are numbered proposers first.
    """
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    place = np.empty((proposers, receivers), np.int64)
    np.put_along_axis(place, order, np.arange(1, receivers + 1)[None, :], axis=1)
    candidate = np.tile(np.arange(receivers), proposers) + proposers
    return likes(viewer, candidate, like.ravel(), liked_back.ravel(), place.ravel(), lists)
