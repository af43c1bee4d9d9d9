"""LightGBM's trees as arrays, for scoring and explanations."""

from dataclasses import dataclass
from itertools import accumulate

import lightgbm as lgb
import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array

# Decision types in LightGBM's text format: numerical splits without missing values. 2 only sets the default.
PLAIN_DECISIONS = frozenset({"0", "2"})


@dataclass(frozen=True)
class TreeArrays:
    """Trees as arrays of nodes, one tree after the other. A leaf is a node whose children are itself."""

    root: Int64Array
    """Index of each root, (trees,)."""
    feature: Int64Array
    """Index of the feature, (nodes,)."""
    threshold: Float32Array
    """Values in single precision up to the threshold go left, (nodes,)."""
    child: Int64Array
    """Indices of the left and right child, (nodes, 2)."""
    value: Float64Array
    """Value of each leaf, (nodes,)."""
    count: Float64Array
    """Number of training rows at each node, (nodes,)."""


def extract_trees(booster: lgb.Booster) -> TreeArrays:
    """Extract the trees of a booster. Raises ValueError if it has categories or missing values."""
    texts = booster.model_to_string().split("\nend of trees")[0].split("\nTree=")[1:]
    told = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in texts]
    if not PLAIN_DECISIONS.issuperset(" ".join(tree.get("decision_type", "") for tree in told).split()):
        raise ValueError("the trees have categories or missing numbers; only trees of plain numbers are supported")
    grown = [_parse_tree(fields) for fields in told]
    start = list(accumulate((len(tree.feature) for tree in grown), initial=0))
    return TreeArrays(
        root=np.array(start[:-1], np.int64),
        feature=np.concatenate([np.empty(0, np.int64), *(tree.feature for tree in grown)]),
        threshold=np.concatenate([np.empty(0, np.float32), *(tree.threshold for tree in grown)]),
        child=np.vstack(
            [np.empty((0, 2), np.int64), *(at + tree.child for at, tree in zip(start, grown, strict=False))]
        ),
        value=np.concatenate([np.empty(0), *(tree.value for tree in grown)]),
        count=np.concatenate([np.empty(0), *(tree.count for tree in grown)]),
    )


def _parse_tree(told: dict[str, str]) -> TreeArrays:
    """Parse one tree of LightGBM's text format, which numbers leaves separately: a negative child is a leaf."""

    def parse_integers(name: str) -> Int64Array:
        return np.array(told.get(name, "").split(), np.int64)

    leaves = np.array(told["leaf_value"].split(), np.float64)
    children = np.column_stack([parse_integers("left_child"), parse_integers("right_child")])
    splits = len(children)
    itself = splits + np.arange(len(leaves))
    child = np.vstack([np.where(children < 0, splits + ~children, children), np.column_stack([itself, itself])])
    return TreeArrays(
        root=np.zeros(1, np.int64),
        feature=np.append(parse_integers("split_feature"), np.zeros_like(itself)),
        threshold=round_down(np.append(np.array(told.get("threshold", "").split(), np.float64), np.zeros(len(leaves)))),
        child=child,
        value=np.append(np.zeros(splits), leaves),
        count=np.append(parse_integers("internal_count"), parse_integers("leaf_count")).astype(np.float64),
    )


def round_down(thresholds: Float64Array) -> Float32Array:
    """Round thresholds down to single precision; a float32 value is above one if and only if it is above the other."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
