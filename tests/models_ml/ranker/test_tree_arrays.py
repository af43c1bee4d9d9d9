"""LightGBM's trees as arrays: walked step by step, they say what LightGBM says."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.ranker.tree_arrays import TreeArrays, extract_trees, round_down

PARAMETERS = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 5, "verbose": -1, "seed": 1}


def some(rows: int = 2_000) -> Float32Array:
    """Numbers of which many are equal, and some columns constant."""
    random = np.random.default_rng(1)
    features = random.normal(size=(rows, 6)).astype(np.float32)
    features[:, 1] = np.round(features[:, 1])
    features[:, 2] = 3
    return features


def grown(features: Float32Array, rounds: int, **more: object) -> lgb.Booster:
    liked = (features[:, 0] * features[:, 1] + features[:, 3] > 0.3).astype(np.int8)
    return lgb.train(PARAMETERS | more, lgb.Dataset(features, liked), rounds)


def walked(of: TreeArrays, row: Float32Array) -> float:
    """The sum of the leaves that a row comes to."""
    total = 0.0
    for root in of.root:
        node = root
        while of.child[node, 0] != node:
            node = of.child[node, int(row[of.feature[node]] > of.threshold[node])]
        total += float(of.value[node])
    return total


@pytest.mark.parametrize("rounds", [1, 40])
def test_a_row_comes_to_lightgbm_s_leaves(rounds: int) -> None:
    features = some()
    booster = grown(features, rounds)
    found = [walked(extract_trees(booster), row) for row in features[:200]]
    np.testing.assert_array_equal(found, booster.predict(features[:200], raw_score=True))


def test_every_node_counts_the_rows_that_came_by() -> None:
    of = extract_trees(grown(some(), 5))
    split = np.flatnonzero(of.child[:, 0] != np.arange(len(of.child)))
    np.testing.assert_array_equal(of.count[split], of.count[of.child[split]].sum(axis=1))
    assert (of.count[of.root] == len(some())).all()


@given(st.floats(-1e30, 1e30))
def test_a_number_is_above_a_threshold_where_it_is_above_its_single_precision(threshold: float) -> None:
    (rounded,) = round_down(np.array([threshold]))
    near = np.float32(threshold)
    for number in (near, *np.nextafter(near, np.array([-np.inf, np.inf], np.float32)), np.float32(0)):
        assert (number > rounded) == (float(number) > threshold)


def test_trees_that_know_missing_numbers_are_refused() -> None:
    features = some()
    features[::3, 0] = np.nan
    with pytest.raises(ValueError, match="only trees of plain numbers"):
        extract_trees(grown(features, 3))
