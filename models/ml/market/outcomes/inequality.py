"""How evenly exposure and matches are spread over users."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.expected_matches import compute_couple_probabilities
from models.ml.market.outcomes.list_likes import ListLikes


def compute_expected_exposure(
    candidate: NDArray[np.integer], place: NDArray[np.integer], people: int, lists: Curve = "inv"
) -> Float64Array:
    """Compute the expected impressions of each user in others' lists, float64 (people,).

    Impressions in inboxes do not count: the sender of a like has already examined the candidate.

    Args:
        candidate: The candidate of each pair, (n,).
        place: Position of each pair in its list, from 1, (n,); 0 if not listed.
        people: The number of users.
        lists: Examination curve of the lists.
    """
    listed = place > 0
    looks = np.minimum(evaluate_curve(lists, int(place.max(initial=1))), 1)
    return np.asarray(np.bincount(candidate[listed], looks[place[listed] - 1], people), np.float64)


def compute_gini(amounts: NDArray[np.number]) -> float:
    """Compute the Gini coefficient: 0 if all amounts are equal or 0, near 1 if one user has everything."""
    ordered = np.sort(amounts.astype(np.float64))
    total, n = ordered.sum(), len(ordered)
    if not total:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * total))


def compute_top_share(amounts: NDArray[np.number], part: float = 0.01) -> float:
    """Compute the share of the total that the top `part` of users, rounded up, have; 0 if the total is 0."""
    top = int(np.ceil(part * len(amounts)))
    total = float(amounts.sum())
    return float(np.sort(amounts)[len(amounts) - top :].sum() / total) if total else 0.0


def compute_match_coverage(likes: ListLikes, people: int, inbox: Curve = "inv") -> float:
    """Compute the expected share of `people` with at least one match, in [0, 1].

    It is the mean of 1 - product of (1 - P(match)), which takes a user's matches as independent. Likes compete in an
    inbox, so the real spread is a little more even; `simulate_matches` does not need the assumption.
    """
    first = np.unique(likes.couple, return_index=True)[1]
    with np.errstate(divide="ignore"):
        missed = np.log1p(-compute_couple_probabilities(likes, inbox))
    ends = np.concatenate([likes.viewer[first], likes.receiver[first]])
    return float(-np.expm1(np.bincount(ends, np.tile(missed, 2), people)).mean()) if people else 0.0
