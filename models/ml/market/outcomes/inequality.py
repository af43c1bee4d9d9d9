"""Who is seen, and who gets something out of it."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.expected_matches import compute_couple_probabilities
from models.ml.market.outcomes.list_likes import ListLikes


def compute_expected_exposure(
    candidate: NDArray[np.integer], place: NDArray[np.integer], people: int, lists: Curve = "inv"
) -> Float64Array:
    """How often each person can expect to be looked at in others' lists, float64 (people,).

    `candidate` and `place` (n,) are the listed pairs, place from 1, 0 for a pair that is not listed. Looks at the
    likes in an inbox are not counted: who sent them has looked before.
    """
    listed = place > 0
    looks = np.minimum(evaluate_curve(lists, int(place.max(initial=1))), 1)
    return np.asarray(np.bincount(candidate[listed], looks[place[listed] - 1], people), np.float64)


def compute_gini(amounts: NDArray[np.number]) -> float:
    """Gini's coefficient of inequality: 0 if all have the same, near 1 if one has all; 0 if nobody has anything."""
    ordered = np.sort(amounts.astype(np.float64))
    total, n = ordered.sum(), len(ordered)
    if not total:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) @ ordered) / (n * total))


def compute_top_share(amounts: NDArray[np.number], part: float = 0.01) -> float:
    """Share of the total that goes to the best-off `part` of the people, rounded up; 0 if nobody has anything."""
    top = int(np.ceil(part * len(amounts)))
    total = float(amounts.sum())
    return float(np.sort(amounts)[len(amounts) - top :].sum() / total) if total else 0.0


def compute_match_coverage(likes: ListLikes, people: int, inbox: Curve = "inv") -> float:
    """Expected share of `people` who get at least one match, 0 to 1: the mean of 1 - product of (1 - P(match)).

    One person's matches are taken as independent. They are not quite: likes compete in an inbox, which makes matches a
    little more evenly spread than this says; `simulated_matches` counts them as they fall.
    """
    first = np.unique(likes.couple, return_index=True)[1]
    with np.errstate(divide="ignore"):
        missed = np.log1p(-compute_couple_probabilities(likes, inbox))
    ends = np.concatenate([likes.viewer[first], likes.receiver[first]])
    return float(-np.expm1(np.bincount(ends, np.tile(missed, 2), people)).mean()) if people else 0.0
