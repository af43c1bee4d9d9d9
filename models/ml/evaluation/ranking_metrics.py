"""Metrics of lists: one list per viewer, best score first, binary relevance.

Ties are in random order. Each metric is its expected value over the orders of tied rows (McSherry & Najork 2008), so
the order of rows does not matter.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from models.ml.arrays import Float64Array, Int64Array


@dataclass(frozen=True)
class RankedLists:
    """The lists of n viewers as t runs of equal scores, the best run of each list first."""

    viewer: Int64Array
    """List of the run, 0 to n - 1, (t,)."""
    size: Int64Array
    """Rows of the run, (t,)."""
    positive: Int64Array
    """Positives of the run, (t,)."""
    above: Int64Array
    """Rows of the list above the run, (t,)."""
    positive_above: Int64Array
    """Positives above the run, (t,)."""
    positives: Int64Array
    """Positives of the whole list, (n,)."""


def rank_lists(viewer: ArrayLike, label: ArrayLike, score: ArrayLike) -> RankedLists:
    """Rank pairs with a viewer, a label (like or match) and a score each. Raises ValueError for a score of NaN."""
    label, score = np.asarray(label, bool), np.asarray(score, np.float64)
    if np.isnan(score).any():
        raise ValueError(
            f"{np.isnan(score).sum()} of {len(score)} scores are NaN and cannot be ranked; give each pair a number"
        )
    whose = pd.factorize(np.asarray(viewer))[0]
    order = np.lexsort((-score, whose))
    whose, score = whose[order], score[order]
    new_list = np.diff(whose, prepend=-1) != 0
    new_score = np.concatenate([[True], score[1:] != score[:-1]])[: len(score)]
    first = np.flatnonzero(new_list | new_score)
    run_whose = whose[first].astype(np.int64)
    size = np.diff(first, append=len(score))
    positives_before = np.concatenate([[0], np.cumsum(label[order])])
    start = np.flatnonzero(new_list)[run_whose]
    return RankedLists(
        viewer=run_whose,
        size=size,
        positive=positives_before[first + size] - positives_before[first],
        above=first - start,
        positive_above=positives_before[first] - positives_before[start],
        positives=np.diff(positives_before[np.flatnonzero(new_list)], append=positives_before[-1]),
    )


def compute_ndcg(lists: RankedLists, k: int) -> float:
    """Compute NDCG@k (Järvelin & Kekäläinen 2002), the mean over viewers with a positive, 0 to 1; NaN if none has."""
    discounts = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(k) + 2))])
    gain = lists.positive / lists.size * _sum_within_top(lists, discounts)
    return _average_over_viewers(lists, gain, discounts[np.minimum(lists.positives, k)])


def compute_mean_average_precision(lists: RankedLists) -> float:
    """Compute the mean average precision over viewers with a positive, 0 to 1; NaN if none has."""
    harmonic = np.concatenate([[0], np.cumsum(1 / (np.arange((lists.above + lists.size).max(initial=0)) + 1))])
    reciprocals = _sum_within_top(lists, harmonic)
    # Position j of a run holds a positive with probability positive / size. Of the run's j - 1 rows above it, the share
    # (positive - 1) / (size - 1) is then expected to be positive. Summed over j in closed form.
    others = (lists.positive - 1) / np.maximum(lists.size - 1, 1)
    precisions = (lists.positive_above + 1) * reciprocals + others * (lists.size - (lists.above + 1) * reciprocals)
    return _average_over_viewers(lists, lists.positive / lists.size * precisions, lists.positives.astype(np.float64))


def compute_recall(lists: RankedLists, k: int) -> float:
    """Compute the share of all positives in the first k positions of their viewer's list; NaN if there are none."""
    found = lists.positive / lists.size * _sum_within_top(lists, np.arange(k + 1, dtype=np.float64))
    positives = lists.positives.sum()
    return float(found.sum() / positives) if positives else float("nan")


def _sum_within_top(lists: RankedLists, cumulative: Float64Array) -> Float64Array:
    """Sum the weights of the positions of each run, from the cumulative weights of the first 0, 1, ... positions."""
    last = len(cumulative) - 1
    worth: Float64Array = (
        cumulative[np.minimum(lists.above + lists.size, last)] - cumulative[np.minimum(lists.above, last)]
    )
    return worth


def _average_over_viewers(lists: RankedLists, gain: Float64Array, best: Float64Array) -> float:
    """Average over viewers with a positive: the sum of a viewer's gains divided by the viewer's best sum."""
    of_viewer = np.bincount(lists.viewer, gain, minlength=len(best))
    known = lists.positives > 0
    return float(np.mean(of_viewer[known] / best[known])) if known.any() else float("nan")
