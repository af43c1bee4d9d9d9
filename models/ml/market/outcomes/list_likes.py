"""The likes that lists lead to, and their positions in inboxes.

Each viewer likes the candidate at position k of their list with probability p_like x v(k), where v is the examination
curve of lists. An inbox is sorted by its owner's preference. The like at position k is returned with probability
p_liked_back x v(k), where v is now the curve of inboxes. All likes and responses are independent. A pair in both lists
can match through either, and counts as one match.

In the two-sided experiments of Su, Bayoumi & Joachims (WWW 2022), one side has no lists: see `compute_two_sided_likes`.
Their "log" curve exceeds 1 at its first position; as in their work, a probability times it counts as at most 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array, FloatArray, Int64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.examination_curve import Curve, evaluate_curve


@dataclass(frozen=True)
class ListLikes:
    """The likes that lists can lead to: k listed pairs grouped by inbox, the strongest likes first."""

    viewer: Int64Array
    """Sender of the like, (k,)."""
    receiver: Int64Array
    """Owner of the inbox, (k,)."""
    sent: Float64Array
    """Probability that the viewer examines the candidate and likes them, (k,)."""
    welcome: Float64Array
    """Probability that the receiver likes back after examining the like, (k,)."""
    starts: Int64Array
    """Start of each inbox, (inboxes,)."""
    sizes: Int64Array
    """Number of likes that each inbox can receive, (inboxes,)."""
    couple: Int64Array
    """Number of the unordered pair, from 0, (k,); equal for the two likes of a pair in both lists."""


def compute_list_likes(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: FloatArray,
    p_liked_back: FloatArray,
    place: NDArray[np.integer],
    lists: Curve = "inv",
) -> ListLikes:
    """Compute the likes that lists of n pairs can lead to.

    A hash of the pair orders equally strong likes.

    Args:
        viewer: Index of the viewer, (n,).
        candidate: Index of the candidate, (n,).
        p_like: Probability that the viewer likes the candidate, (n,).
        p_liked_back: Probability that the candidate likes the viewer, (n,).
        place: Position of the candidate in the viewer's list, from 1, (n,); 0 if not listed.
        lists: Examination curve of the lists.
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
    """Compute the likes of a market of proposers and receivers, as `rank_market` defines it.

    People are numbered proposers first.

    Args:
        like: Probability that proposer i likes receiver j, (proposers, receivers).
        liked_back: Probability that receiver j likes proposer i, (proposers, receivers).
        order: Receivers of each proposer, best first, (proposers, receivers).
        lists: Examination curve of the lists.
    """
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    place = np.empty((proposers, receivers), np.int64)
    np.put_along_axis(place, order, np.arange(1, receivers + 1)[None, :], axis=1)
    candidate = np.tile(np.arange(receivers), proposers) + proposers
    return compute_list_likes(viewer, candidate, like.ravel(), liked_back.ravel(), place.ravel(), lists)
