"""How good lists are: one list a viewer, best score first, binary relevance.

Where scores tie, the order is a coin's: every metric is its expected value over the orders of the tied rows
(McSherry & Najork 2008), so that the order of rows changes nothing.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from models.ml.arrays import Float64Array, Int64Array


@dataclass(frozen=True)
class RankedLists:
    """The lists of n viewers as t runs of equal scores, each run best first within its viewer's list."""

    viewer: Int64Array
    """(t,) whose list, 0 to n - 1."""
    size: Int64Array
    """(t,) rows of the run."""
    positive: Int64Array
    """(t,) positives among them."""
    above: Int64Array
    """(t,) rows of the list above the run."""
    positive_above: Int64Array
    """(t,) positives among them."""
    positives: Int64Array
    """(n,) positives of the whole list."""


def rank_lists(viewer: ArrayLike, label: ArrayLike, score: ArrayLike) -> RankedLists:
    """The lists of pairs with a viewer, a label (like or match) and a score each; ValueError for a score of NaN."""
    label, score = np.asarray(label, bool), np.asarray(score, np.float64)
    if np.isnan(score).any():
        raise ValueError(f"{np.isnan(score).sum()} of {len(score)} scores are NaN and have no place in a list")
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
    """NDCG@k (Järvelin & Kekäläinen 2002): the mean over viewers with a positive, 0 to 1; NaN if none has one."""
    discounts = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(k) + 2))])
    gain = lists.positive / lists.size * _sum_within_top(lists, discounts)
    return _average_over_viewers(lists, gain, discounts[np.minimum(lists.positives, k)])


def compute_mean_average_precision(lists: RankedLists) -> float:
    """Mean over viewers with a positive of the average precision at the positives, 0 to 1; NaN if none has one."""
    harmonic = np.concatenate([[0], np.cumsum(1 / (np.arange((lists.above + lists.size).max(initial=0)) + 1))])
    reciprocals = _sum_within_top(lists, harmonic)
    # At the j-th place of a run stands a positive with chance positive / size; of the j - 1 rows of the run above it,
    # the share (positive - 1) / (size - 1) is then expected to be positive. Summed over j in closed form.
    others = (lists.positive - 1) / np.maximum(lists.size - 1, 1)
    precisions = (lists.positive_above + 1) * reciprocals + others * (lists.size - (lists.above + 1) * reciprocals)
    return _average_over_viewers(lists, lists.positive / lists.size * precisions, lists.positives.astype(np.float64))


def compute_recall(lists: RankedLists, k: int) -> float:
    """The share of all positives that stand in the first k places of their viewer's list; NaN if there are none."""
    found = lists.positive / lists.size * _sum_within_top(lists, np.arange(k + 1, dtype=np.float64))
    positives = lists.positives.sum()
    return float(found.sum() / positives) if positives else float("nan")


def _sum_within_top(lists: RankedLists, cumulative: Float64Array) -> Float64Array:
    """What the places of each run are worth together, from the worth of the first 0, 1, … places of a list."""
    last = len(cumulative) - 1
    worth: Float64Array = (
        cumulative[np.minimum(lists.above + lists.size, last)] - cumulative[np.minimum(lists.above, last)]
    )
    return worth


def _average_over_viewers(lists: RankedLists, gain: Float64Array, best: Float64Array) -> float:
    """The mean over viewers with a positive of the sum of a viewer's gains, divided by the viewer's best sum."""
    of_viewer = np.bincount(lists.viewer, gain, minlength=len(best))
    known = lists.positives > 0
    return float(np.mean(of_viewer[known] / best[known])) if known.any() else float("nan")
