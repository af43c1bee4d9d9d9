"""What lists lead to: who likes whom from a list, in which place of an inbox the like stands, who answers.

Everybody likes from their own list: the candidate at place k with probability p_like x v(k), v the lists' examination
curve. The likes somebody receives wait in their inbox in the order of their own preference, and the one at place k is
answered with probability p_liked_back x v(k), v now the inbox's curve. Each like and each answer is a coin of its own.
A pair that both lists show can match through either, and is one match all the same.

The two-sided experiments of Su, Bayoumi & Joachims (WWW 2022) are the case in which one side has no lists:
`compute_two_sided_likes`. Their "log" curve exceeds 1 at its first place; a probability times it counts as at most 1,
as it does there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array, FloatArray, Int64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.examination_curve import Curve, evaluate_curve


@dataclass(frozen=True)
class ListLikes:
    """The likes that lists can bring: k listed pairs, each inbox's together, the likes most welcome to it first."""

    viewer: Int64Array
    """Who likes, (k,)."""
    receiver: Int64Array
    """Whose inbox the like waits in, (k,)."""
    sent: Float64Array
    """Probability that the viewer looks at the candidate and likes them, (k,)."""
    welcome: Float64Array
    """Probability that the receiver likes back, if they look at the like, (k,)."""
    starts: Int64Array
    """Where each inbox begins, (inboxes,)."""
    sizes: Int64Array
    """How many likes each inbox can get, (inboxes,)."""
    couple: Int64Array
    """Number of the unordered pair, from 0, (k,): the same for the two likes of a pair that both lists show."""


def compute_list_likes(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: FloatArray,
    p_liked_back: FloatArray,
    place: NDArray[np.integer],
    lists: Curve = "inv",
) -> ListLikes:
    """The likes that lists of n pairs can bring, pairs and probabilities (n,).

    `place` (n,) is where the candidate stands in the viewer's list, from 1, or 0 for a pair that is not listed;
    `lists` is the examination curve of the lists. Equally welcome likes are put in order by a hash of the pair.
    """
    listed = np.flatnonzero(place > 0)
    pair = (viewer[listed].astype(np.uint64) << np.uint64(32)) ^ candidate[listed].astype(np.uint64)
    order = listed[np.lexsort((hash_splitmix64(pair), -p_liked_back[listed], candidate[listed]))]
    sender, receiver = viewer[order].astype(np.int64), candidate[order].astype(np.int64)
    people = 1 + int(max(viewer.max(initial=-1), candidate.max(initial=-1)))
    looks = evaluate_curve(lists, int(place.max(initial=1)))
    starts = np.flatnonzero(np.diff(receiver, prepend=-1))
    couple = np.unique(np.minimum(sender, receiver) * people + np.maximum(sender, receiver), return_inverse=True)[1]
    return ListLikes(
        viewer=sender,
        receiver=receiver,
        sent=np.minimum(p_like[order] * looks[place[order] - 1], 1),
        welcome=p_liked_back[order].astype(np.float64),
        starts=starts,
        sizes=np.diff(starts, append=len(order)),
        couple=couple,
    )


def compute_two_sided_likes(
    like: Float64Array, liked_back: Float64Array, order: NDArray[np.integer], lists: Curve = "inv"
) -> ListLikes:
    """The likes of a market with proposers and receivers, as `rank_market` speaks of it.

    All are (proposers, receivers): `like[i, j]` is P(proposer i likes receiver j), `liked_back[i, j]` P(j likes i), and
    `order` each proposer's receivers, best first. People are numbered proposers first.
    """
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    place = np.empty((proposers, receivers), np.int64)
    np.put_along_axis(place, order, np.arange(1, receivers + 1)[None, :], axis=1)
    candidate = np.tile(np.arange(receivers), proposers) + proposers
    return compute_list_likes(viewer, candidate, like.ravel(), liked_back.ravel(), place.ravel(), lists)
