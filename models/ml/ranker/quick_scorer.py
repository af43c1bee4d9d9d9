"""Tree ensembles evaluated split by split instead of walked from the root, for many rows at once.

Source: QuickScorer (Lucchese, Nardini, Orlando, Perego, Tonellotto & Venturini, SIGIR 2015). If a row goes right at a
split, the leaves on the left are struck out. The leftmost leaf that remains is the row's leaf. There are no branches
and no dependent steps, so the processor compares many rows at once. The sums equal those of walking the trees to the
bit.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array, UInt64Array
from models.ml.kernels.jit import jit
from models.ml.ranker.tree_arrays import TreeArrays

MAX_LEAVES = 64
ROWS_PER_BATCH = 128
ALL_LEAVES = (1 << MAX_LEAVES) - 1
# A de Bruijn sequence: its 64 products with a power of two differ in their first six bits.
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_POSITIONS = np.argsort([(int(DE_BRUIJN) << place & ALL_LEAVES) >> 58 for place in range(MAX_LEAVES)])


@dataclass(frozen=True)
class QuickScorer:
    """The splits of trees, tree by tree."""

    start: Int64Array
    """Start of each tree's splits, (trees + 1,)."""
    feature: Int64Array
    """Index of the feature, (splits,)."""
    threshold: Float32Array
    """Largest value that goes left, (splits,)."""
    mask: UInt64Array
    """Bits of the tree's leaves, from the left, that are not left of the split, (splits,)."""
    value: Float64Array
    """Value of each leaf, (trees, leaves)."""

    def predict(self, features: Float32Array) -> Float64Array:
        """Sum the trees, float64 (n,), from features float32 (n, features), preferably column-major."""
        return _sum_leaves(features, self.start, self.feature, self.threshold, self.mask, self.value, BIT_POSITIONS)


def build_quick_scorer(trees: TreeArrays) -> QuickScorer:
    """Build the splits of trees. Raises ValueError if one has more than MAX_LEAVES leaves."""
    splits: list[tuple[int, int]] = []  # node, and its mask
    start, leaves = [0], []
    for root in trees.root.tolist():
        of_tree: list[int] = []
        _collect_leaves(trees, root, of_tree, splits)
        if len(of_tree) > MAX_LEAVES:
            raise ValueError(f"a tree has {len(of_tree)} leaves; at most {MAX_LEAVES} can be told apart: grow fewer")
        leaves.append(of_tree)
        start.append(len(splits))
    value = np.zeros((len(leaves), max(map(len, leaves), default=1)))
    for tree, nodes in enumerate(leaves):
        value[tree, : len(nodes)] = trees.value[nodes]
    node = np.array([each for each, _ in splits], np.int64)
    kept = np.array([mask for _, mask in splits], np.uint64)
    return QuickScorer(np.array(start), trees.feature[node], trees.threshold[node], kept, value)


def _collect_leaves(trees: TreeArrays, node: int, leaves: list[int], splits: list[tuple[int, int]]) -> int:
    """Return the bits of the leaves below a node, and append its leaves and splits to the lists."""
    left, right = trees.child[node].tolist()
    if left == node:
        leaves.append(node)
        return 1 << (len(leaves) - 1)
    on_left, on_right = _collect_leaves(trees, left, leaves, splits), _collect_leaves(trees, right, leaves, splits)
    splits.append((node, ALL_LEAVES & ~on_left))
    return on_left | on_right


@jit
def _sum_leaves(
    features: Float32Array,
    start: Int64Array,
    feature: Int64Array,
    bound: Float32Array,
    kept: UInt64Array,
    value: Float64Array,
    places: Int64Array,
) -> Float64Array:
    sums = np.zeros(len(features))
    remain = np.empty(ROWS_PER_BATCH, np.uint64)
    for first in range(0, len(features), ROWS_PER_BATCH):
        last = min(first + ROWS_PER_BATCH, len(features))
        for tree in range(len(value)):
            remain[:] = np.uint64(ALL_LEAVES)
            for split in range(start[tree], start[tree + 1]):
                # A contiguous slice, so that the compiler can vectorise the loop.
                numbers, most, mask = features[first:last, feature[split]], bound[split], kept[split]
                for row in range(len(numbers)):
                    remain[row] = remain[row] & mask if numbers[row] > most else remain[row]
            for row in range(last - first):
                lowest = remain[row] & (~remain[row] + np.uint64(1))
                sums[first + row] += value[tree, places[(lowest * DE_BRUIJN) >> np.uint64(58)]]
    return sums
