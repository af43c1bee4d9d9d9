"""Variances of viewers, of candidates and of what is left, in a table of viewers by candidates with holes.

The method of moments for crossed random effects (Gao & Owen 2017, Electronic Journal of Statistics 11): the squares
within viewers, within candidates and within blocks have expectations that are linear in the three variances, whatever
cells are missing. In a full block it is the analysis of variance of Kenny & La Voie (1984). Time and memory are linear
in the number of pairs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from models.ml.arrays import Float64Array, Int64Array

ROUNDING = 1e-6


@dataclass(frozen=True)
class CrossedDesign:
    """Who decided on whom: n pairs in g circles; every array is (n,), coded from 0."""

    circle: Int64Array
    viewer: Int64Array
    """A viewer in two circles is two viewers, and so for candidates."""
    candidate: Int64Array
    block: Int64Array
    """The largest sets of viewers and candidates that are linked by pairs: the women and the men whom they met are
    one, the same men as viewers of the same women another. Only what differs within a block counts."""

    @cached_property
    def weights(self) -> Float64Array:
        """(g, 5): how often each variance is in the squares of each circle.

        Columns: left-over within viewers, and within candidates; viewers', candidates' and left-over within blocks.
        """
        n_viewer, n_candidate, n_block = (_count_by_code(code) for code in (self.viewer, self.candidate, self.block))
        columns = (
            1 - 1 / n_viewer,
            1 - 1 / n_candidate,
            1 - n_viewer / n_block,
            1 - n_candidate / n_block,
            1 - 1 / n_block,
        )
        return np.column_stack([np.bincount(self.circle, column) for column in columns])

    def compute_squares(self, one: Float64Array, other: Float64Array) -> Float64Array:
        """(g, 3): the products of deviations from the mean of the viewer, of the candidate, of the block, by circle."""
        codes = (self.viewer, self.candidate, self.block)
        columns = [_center_by_code(one, code) * _center_by_code(other, code) for code in codes]
        return np.column_stack([np.bincount(self.circle, column) for column in columns])


def build_design(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike) -> CrossedDesign:
    """The design of n pairs; ValueError if a pair occurs twice in a circle."""
    frame = pd.DataFrame({"circle": circle, "viewer": viewer, "candidate": candidate})
    twice = int(frame.duplicated().sum())
    if twice:
        raise ValueError(f"{twice} of {len(frame)} pairs occur before in their circle; give one decision a pair")
    whose, whom, of_circle = (
        frame.groupby(columns, sort=False).ngroup().to_numpy().astype(np.int64)
        for columns in (["circle", "viewer"], ["circle", "candidate"], ["circle"])
    )
    return CrossedDesign(of_circle, whose, whom, _find_blocks(whose, whom))


def estimate_components(design: CrossedDesign, one: Float64Array, other: Float64Array) -> Float64Array:
    """(1 + g, 3): covariances of two columns due to viewers, due to candidates, and left over.

    The first row is from all circles, row 1 + c from all but circle c. With `one` for `other` they are variances,
    unbiased, so that one may fall below zero where there is none; NaN where the design cannot tell.
    """
    within_viewer, within_candidate, within_block = _jackknife_sums(design.compute_squares(one, other)).T
    left_of_viewer, left_of_candidate, viewers, candidates, left = _jackknife_sums(design.weights).T
    candidate_and_left = within_viewer / _replace_rounding(left_of_viewer)
    viewer_and_left = within_candidate / _replace_rounding(left_of_candidate)
    residual = (viewers * viewer_and_left + candidates * candidate_and_left - within_block) / _replace_rounding(
        viewers + candidates - left
    )
    return np.column_stack([viewer_and_left - residual, candidate_and_left - residual, residual])


def _replace_rounding(weight: Float64Array) -> Float64Array:
    """The weight, or NaN where it is nothing but rounding: weights of designs that can tell are about 1 and more."""
    return np.where(weight > ROUNDING, weight, np.nan)


def _jackknife_sums(by_circle: Float64Array) -> Float64Array:
    """(1 + g, …): the sum over circles, then the sum without each circle."""
    total = by_circle.sum(axis=0)
    return np.vstack([total, total - by_circle])


def _find_blocks(viewer: Int64Array, candidate: Int64Array) -> Int64Array:
    """(n,): the connected part of the graph of viewers and candidates that each pair is in."""
    if not len(viewer):
        return viewer
    nodes = viewer.max() + candidate.max() + 2
    links = coo_array((np.ones(len(viewer)), (viewer, viewer.max() + 1 + candidate)), shape=(nodes, nodes))
    part: Int64Array = connected_components(links, directed=False)[1].astype(np.int64)
    return part[viewer]


def _count_by_code(code: Int64Array) -> Float64Array:
    """(n,): how many pairs share the code of each pair."""
    return np.bincount(code)[code].astype(np.float64)


def _center_by_code(value: Float64Array, code: Int64Array) -> Float64Array:
    """(n,): the value less the mean of all pairs of the same code."""
    mean: Float64Array = np.bincount(code, value) / np.maximum(np.bincount(code), 1)
    return value - mean[code]
