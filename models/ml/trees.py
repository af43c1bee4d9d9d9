"""The trees of LightGBM as arrays: what scoring and explanations are made of."""

from dataclasses import dataclass
from itertools import accumulate

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
# In LightGBM's text form: a number is compared, and none is ever missing. The bit that may be set says where those go.
PLAIN_DECISIONS = frozenset({"0", "2"})


@dataclass(frozen=True)
class Trees:
    """Some trees one after the other. A leaf is a node that leads to itself."""

    root: Ints
    """(trees,)."""
    feature: Ints
    """(nodes,)."""
    threshold: Floats
    """(nodes,); a number of single precision up to it goes left."""
    child: Ints
    """Left and right, (nodes, 2)."""
    value: Doubles
    """What each leaf adds, (nodes,)."""
    count: Doubles
    """How many training rows came by, (nodes,)."""


def trees(booster: lgb.Booster) -> Trees:
    """The trees of a booster of numbers that are never missing. Raises ValueError for any other."""
    texts = booster.model_to_string().split("\nend of trees")[0].split("\nTree=")[1:]
    told = [dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in texts]
    if not PLAIN_DECISIONS.issuperset(" ".join(tree.get("decision_type", "") for tree in told).split()):
        raise ValueError("the trees have categories or missing numbers; only trees of plain numbers can be taken apart")
    grown = [_tree(fields) for fields in told]
    start = list(accumulate((len(tree.feature) for tree in grown), initial=0))
    return Trees(
        root=np.array(start[:-1], np.int64),
        feature=np.concatenate([np.empty(0, np.int64), *(tree.feature for tree in grown)]),
        threshold=np.concatenate([np.empty(0, np.float32), *(tree.threshold for tree in grown)]),
        child=np.vstack(
            [np.empty((0, 2), np.int64), *(at + tree.child for at, tree in zip(start, grown, strict=False))]
        ),
        value=np.concatenate([np.empty(0), *(tree.value for tree in grown)]),
        count=np.concatenate([np.empty(0), *(tree.count for tree in grown)]),
    )


def _tree(told: dict[str, str]) -> Trees:
    """One tree of LightGBM's text form, which numbers leaves apart: a child below zero is a leaf."""

    def integers(name: str) -> Ints:
        return np.array(told.get(name, "").split(), np.int64)

    leaves = np.array(told["leaf_value"].split(), np.float64)
    children = np.column_stack([integers("left_child"), integers("right_child")])
    splits = len(children)
    itself = splits + np.arange(len(leaves))
    child = np.vstack([np.where(children < 0, splits + ~children, children), np.column_stack([itself, itself])])
    return Trees(
        root=np.zeros(1, np.int64),
        feature=np.append(integers("split_feature"), np.zeros_like(itself)),
        threshold=at_most(np.append(np.array(told.get("threshold", "").split(), np.float64), np.zeros(len(leaves)))),
        child=child,
        value=np.append(np.zeros(splits), leaves),
        count=np.append(integers("internal_count"), integers("leaf_count")).astype(np.float64),
    )


def at_most(thresholds: Doubles) -> Floats:
    """The largest number of single precision up to each: a feature is above one where it is above the other."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
