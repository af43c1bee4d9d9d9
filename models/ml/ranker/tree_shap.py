"""Contributions of features to the output of trees: TreeSHAP with precomputed tables.

Source: Lundberg et al. 2018 for the values, Yang 2021 (Fast TreeSHAP, version 2) for the tables. The values equal
LightGBM's `pred_contrib`, which is much slower.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.ranker.tree_arrays import TreeArrays

# The table of a leaf has 2 to the number of features on its path as rows.
MAX_FEATURES = 12
ROWS_PER_BATCH = 128


class PathCondition(NamedTuple):
    """The condition of a path on one feature, low < x <= high, and the share of training rows that meet it."""

    low: float
    high: float
    share: float


UNCONDITIONAL = PathCondition(-np.inf, np.inf, 1.0)


@dataclass(frozen=True)
class TreePaths:
    """The paths to all leaves, one after the other, with one condition for each feature on a path."""

    start: Int64Array
    """Start of each leaf's conditions, (leaves + 1,)."""
    feature: Int64Array
    low: Float32Array
    high: Float32Array
    table: Int64Array
    """Start of each leaf's table, (leaves,): one row per set of conditions that hold, one column per condition."""
    added: Float64Array

    def compute_contributions(self, features: Float32Array) -> Float64Array:
        """Compute what each feature adds over the trees' mean, float64 (n, features), from float32 (n, features).

        The result is column-major, and so should be the features.
        """
        found = np.zeros(features.shape, order="F")
        _add_contributions(features, self.start, self.feature, self.low, self.high, self.table, self.added, found)
        return found


def build_paths(trees: TreeArrays, max_features: int = MAX_FEATURES) -> TreePaths:
    """Build the paths of trees. Raises ValueError if one has conditions on more than `max_features` features."""
    leaves = [leaf for root in trees.root for leaf in _iterate_leaves(trees, int(root), {})]
    if (most := max((len(conditions) for conditions, _ in leaves), default=0)) > max_features:
        raise ValueError(f"a leaf lies under {most} features; tables support at most {max_features}: grow fewer leaves")
    tables = [
        _build_table(np.array([each.share for each in conditions.values()]), value, _compute_weights(len(conditions)))
        for conditions, value in leaves
    ]
    asked = [(feature, *condition) for conditions, _ in leaves for feature, condition in conditions.items()]
    feature, low, high, _ = np.array(asked, np.float64).reshape(-1, 4).T
    return TreePaths(
        start=np.cumsum([0, *(len(conditions) for conditions, _ in leaves)]),
        feature=feature.astype(np.int64),
        low=low.astype(np.float32),
        high=high.astype(np.float32),
        table=np.cumsum([0, *(table.size for table in tables)])[:-1],
        added=np.concatenate([np.empty(0), *(table.ravel() for table in tables)]),
    )


def _iterate_leaves(
    trees: TreeArrays, node: int, asked: Mapping[int, PathCondition]
) -> Iterator[tuple[Mapping[int, PathCondition], float]]:
    """Yield the conditions and the value of each leaf below a node."""
    left, right = trees.child[node].tolist()
    if left == node:
        yield asked, float(trees.value[node])
        return
    feature, threshold = int(trees.feature[node]), float(trees.threshold[node])
    low, high, share = asked.get(feature, UNCONDITIONAL)
    to_left, to_right = (share * float(trees.count[child] / trees.count[node]) for child in (left, right))
    yield from _iterate_leaves(trees, left, {**asked, feature: PathCondition(low, min(high, threshold), to_left)})
    yield from _iterate_leaves(trees, right, {**asked, feature: PathCondition(max(low, threshold), high, to_right)})


def _compute_weights(features: int) -> Float64Array:
    """Compute the Shapley weight of a coalition by the number of its other members."""
    return np.array(
        [factorial(size) * factorial(features - size - 1) / factorial(features) for size in range(features)]
    )


@jit
def _build_table(share: Float64Array, value: float, weight: Float64Array) -> Float64Array:
    """Compute what each of d conditions adds, for each set of conditions that hold, float64 (2^d, d)."""
    features = len(share)
    added = np.zeros((1 << features, features))
    for holds in range(1 << features):
        for own in range(features):
            coalitions = np.zeros(features)  # by size: the summed share of the value that they leave
            coalitions[0] = 1.0
            for other in range(features):
                if other != own:
                    held = float((holds >> other) & 1)
                    for size in range(features - 1, 0, -1):
                        coalitions[size] = coalitions[size] * share[other] + coalitions[size - 1] * held
                    coalitions[0] *= share[other]
            own_held = float((holds >> own) & 1)
            added[holds, own] = value * (own_held - share[own]) * (coalitions * weight).sum()
    return added


@jit
def _add_contributions(
    features: Float32Array,
    start: Int64Array,
    feature: Int64Array,
    low: Float32Array,
    high: Float32Array,
    table: Int64Array,
    added: Float64Array,
    found: Float64Array,
) -> None:
    holds = np.empty(ROWS_PER_BATCH, np.int64)
    for first in range(0, len(features), ROWS_PER_BATCH):
        last = min(first + ROWS_PER_BATCH, len(features))
        for leaf in range(len(table)):
            holds[:] = 0
            for at in range(start[leaf], start[leaf + 1]):
                # A contiguous slice, so that the compiler can vectorise the loop.
                numbers, least, most = features[first:last, feature[at]], low[at], high[at]
                for row in range(len(numbers)):
                    holds[row] |= np.int64((numbers[row] > least) & (numbers[row] <= most)) << (at - start[leaf])
            conditions = start[leaf + 1] - start[leaf]
            for own in range(conditions):
                gained, of_leaf = found[first:last, feature[start[leaf] + own]], added[table[leaf] + own :]
                for row in range(len(gained)):
                    gained[row] += of_leaf[holds[row] * conditions]
