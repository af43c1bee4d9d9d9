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
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

NOTHING = 1e-6


@dataclass(frozen=True)
class Design:
    """Who decided on whom: n pairs in g circles; every array is (n,), coded from 0."""

    circle: Codes
    viewer: Codes
    """A viewer in two circles is two viewers, and so for candidates."""
    candidate: Codes
    block: Codes
    """The largest sets of viewers and candidates that are linked by pairs: the women and the men whom they met are
    one, the same men as viewers of the same women another. Only what differs within a block counts."""

    @cached_property
    def weights(self) -> Floats:
        """(g, 5): how often each variance is in the squares of each circle.

        Columns: left-over within viewers, and within candidates; viewers', candidates' and left-over within blocks.
        """
        n_viewer, n_candidate, n_block = (_size(code) for code in (self.viewer, self.candidate, self.block))
        columns = (
            1 - 1 / n_viewer,
            1 - 1 / n_candidate,
            1 - n_viewer / n_block,
            1 - n_candidate / n_block,
            1 - 1 / n_block,
        )
        return np.column_stack([np.bincount(self.circle, column) for column in columns])

    def squares(self, one: Floats, other: Floats) -> Floats:
        """(g, 3): the products of deviations from the mean of the viewer, of the candidate, of the block, by circle."""
        codes = (self.viewer, self.candidate, self.block)
        columns = [_deviation(one, code) * _deviation(other, code) for code in codes]
        return np.column_stack([np.bincount(self.circle, column) for column in columns])


def design(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike) -> Design:
    """The design of n pairs; ValueError if a pair occurs twice in a circle."""
    frame = pd.DataFrame({"circle": circle, "viewer": viewer, "candidate": candidate})
    twice = int(frame.duplicated().sum())
    if twice:
        raise ValueError(f"{twice} of {len(frame)} pairs occur before in their circle; give one decision a pair")
    whose, whom, of_circle = (
        frame.groupby(columns, sort=False).ngroup().to_numpy().astype(np.int64)
        for columns in (["circle", "viewer"], ["circle", "candidate"], ["circle"])
    )
    return Design(of_circle, whose, whom, _blocks(whose, whom))


def components(design: Design, one: Floats, other: Floats) -> Floats:
    """(1 + g, 3): covariances of two columns due to viewers, due to candidates, and left over.

    The first row is from all circles, row 1 + c from all but circle c. With `one` for `other` they are variances,
    unbiased, so that one may fall below zero where there is none; NaN where the design cannot tell.
    """
    within_viewer, within_candidate, within_block = _with_and_without(design.squares(one, other)).T
    left_of_viewer, left_of_candidate, viewers, candidates, left = _with_and_without(design.weights).T
    candidate_and_left = within_viewer / _or_nan(left_of_viewer)
    viewer_and_left = within_candidate / _or_nan(left_of_candidate)
    residual = (viewers * viewer_and_left + candidates * candidate_and_left - within_block) / _or_nan(
        viewers + candidates - left
    )
    return np.column_stack([viewer_and_left - residual, candidate_and_left - residual, residual])


def _or_nan(weight: Floats) -> Floats:
    """The weight, or NaN where it is nothing but rounding: weights of designs that can tell are about 1 and more."""
    return np.where(weight > NOTHING, weight, np.nan)


def _with_and_without(by_circle: Floats) -> Floats:
    """(1 + g, …): the sum over circles, then the sum without each circle."""
    total = by_circle.sum(axis=0)
    return np.vstack([total, total - by_circle])


def _blocks(viewer: Codes, candidate: Codes) -> Codes:
    """(n,): the connected part of the graph of viewers and candidates that each pair is in."""
    if not len(viewer):
        return viewer
    nodes = viewer.max() + candidate.max() + 2
    links = coo_array((np.ones(len(viewer)), (viewer, viewer.max() + 1 + candidate)), shape=(nodes, nodes))
    part: Codes = connected_components(links, directed=False)[1].astype(np.int64)
    return part[viewer]


def _size(code: Codes) -> Floats:
    """(n,): how many pairs share the code of each pair."""
    return np.bincount(code)[code].astype(np.float64)


def _deviation(value: Floats, code: Codes) -> Floats:
    """(n,): the value less the mean of all pairs of the same code."""
    mean: Floats = np.bincount(code, value) / np.maximum(np.bincount(code), 1)
    return value - mean[code]
