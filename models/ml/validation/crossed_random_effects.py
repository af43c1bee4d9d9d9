"""Variances of viewers, of candidates and of residuals in an incomplete table of viewers by candidates.

The method of moments for crossed random effects (Gao & Owen 2017, Electronic Journal of Statistics 11). The squares
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
    """Viewers and candidates of n pairs in g components; each array is int64 (n,), coded from 0."""

    circle: Int64Array
    """The connected component of the pair."""
    viewer: Int64Array
    """A viewer in two components counts as two viewers; likewise for candidates."""
    candidate: Int64Array
    block: Int64Array
    """The connected set of viewers and candidates that the pair is in.

    Women as viewers of men are one block, and the same men as viewers of these women another. Only differences within a
    block count.
    """

    @cached_property
    def weights(self) -> Float64Array:
        """How often each variance is in the squares of each component, float64 (g, 5).

        Columns: residual within viewers, and within candidates; viewers', candidates' and residual within blocks.
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
        """Sum products of deviations from the means of viewer, candidate and block, by component, float64 (g, 3)."""
        codes = (self.viewer, self.candidate, self.block)
        columns = [_center_by_code(one, code) * _center_by_code(other, code) for code in codes]
        return np.column_stack([np.bincount(self.circle, column) for column in columns])


def build_design(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike) -> CrossedDesign:
    """Build the design of n pairs; raises ValueError if a pair occurs twice in a component."""
    frame = pd.DataFrame({"circle": circle, "viewer": viewer, "candidate": candidate})
    twice = int(frame.duplicated().sum())
    if twice:
        raise ValueError(f"{twice} of {len(frame)} pairs occur before in their circle; give one decision per pair")
    whose, whom, of_circle = (
        frame.groupby(columns, sort=False).ngroup().to_numpy().astype(np.int64)
        for columns in (["circle", "viewer"], ["circle", "candidate"], ["circle"])
    )
    return CrossedDesign(of_circle, whose, whom, _find_blocks(whose, whom))


def estimate_components(design: CrossedDesign, one: Float64Array, other: Float64Array) -> Float64Array:
    """Estimate covariances of two columns due to viewers, due to candidates, and residual, float64 (1 + g, 3).

    The first row is from all components, row 1 + c from all but component c. If `one` is `other`, they are variances.
    They are unbiased, so a variance of 0 may be estimated below 0. They are NaN if the design cannot identify them.
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
    """Return the weight, or NaN if it is only rounding; weights of identifiable designs are about 1 and more."""
    return np.where(weight > ROUNDING, weight, np.nan)


def _jackknife_sums(by_circle: Float64Array) -> Float64Array:
    """Sum over all components, then without each, (1 + g, ...)."""
    total = by_circle.sum(axis=0)
    return np.vstack([total, total - by_circle])


def _find_blocks(viewer: Int64Array, candidate: Int64Array) -> Int64Array:
    """Find the connected part of the bipartite graph of viewers and candidates that each pair is in, int64 (n,)."""
    if not len(viewer):
        return viewer
    nodes = viewer.max() + candidate.max() + 2
    links = coo_array((np.ones(len(viewer)), (viewer, viewer.max() + 1 + candidate)), shape=(nodes, nodes))
    part: Int64Array = connected_components(links, directed=False)[1].astype(np.int64)
    return part[viewer]


def _count_by_code(code: Int64Array) -> Float64Array:
    """Count the pairs that share the code of each pair, float64 (n,)."""
    return np.bincount(code)[code].astype(np.float64)


def _center_by_code(value: Float64Array, code: Int64Array) -> Float64Array:
    """Subtract the mean of all pairs with the same code, float64 (n,)."""
    mean: Float64Array = np.bincount(code, value) / np.maximum(np.bincount(code), 1)
    return value - mean[code]
