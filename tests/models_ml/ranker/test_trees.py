"""LightGBM's trees as arrays: the quick scorer's sums and TreeSHAP's contributions are LightGBM's own."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.ranker.quick_scorer import build_quick_scorer
from models.ml.ranker.tree_arrays import TreeArrays, extract_trees, round_down
from models.ml.ranker.tree_shap import build_paths

RANDOM = np.random.default_rng(1)
X: Float32Array = RANDOM.normal(size=(2_000, 6)).astype(np.float32)
# Many equal numbers, and a constant.
X[:, 1] = np.round(X[:, 1])
X[:, 2] = 3


def grown(rounds: int, features: Float32Array = X, **more: object) -> lgb.Booster:
    parameters = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 5, "verbose": -1, "seed": 1}
    liked = (features[:, 0] * features[:, 1] + features[:, 3] > 0.3).astype(np.int8)
    return lgb.train(parameters | more, lgb.Dataset(features, liked), rounds)


@pytest.mark.parametrize(
    ("rounds", "leaves", "smallest"), [(1, 2, 5), (40, 8, 5), (20, 33, 5), (10, 64, 5), (2, 1, 5_000)]
)
def test_the_same_sums_to_the_bit(rounds: int, leaves: int, smallest: int) -> None:
    booster = grown(rounds, num_leaves=max(leaves, 2), min_data_in_leaf=smallest)
    assert max(tree["num_leaves"] for tree in booster.dump_model()["tree_info"]) == leaves
    sums = np.asarray(booster.predict(X, raw_score=True))
    scorer = build_quick_scorer(extract_trees(booster))
    np.testing.assert_array_equal(scorer.predict(X), sums)
    for rows in (0, 1, 127, 128, 129):
        last = slice(len(X) - rows, None)
        np.testing.assert_array_equal(scorer.predict(np.asfortranarray(X[last])), sums[last])


def test_a_number_equal_to_the_threshold_goes_left() -> None:
    leaf, itself = [0.0, -1.0, 1.0], [[1, 2], [1, 1], [2, 2]]
    none = np.zeros(3, np.int64)
    trees = TreeArrays(none[:1], none, np.full(3, 0.25, np.float32), np.array(itself), np.array(leaf), np.ones(3))
    numbers = np.array([0.25, np.nextafter(np.float32(0.25), np.float32(1))], np.float32)
    assert build_quick_scorer(trees).predict(numbers[:, None]).tolist() == [-1, 1]


@given(st.floats(-1e30, 1e30))
def test_thresholds_are_rounded_down(threshold: float) -> None:
    (rounded,) = round_down(np.array([threshold]))
    near = np.float32(threshold)
    for number in (near, *np.nextafter(near, np.array([-np.inf, np.inf], np.float32)), np.float32(0)):
        assert (number > rounded) == (float(number) > threshold)


@pytest.mark.parametrize(("rounds", "leaves"), [(1, 2), (40, 7), (20, 31)])
def test_the_same_contributions_as_lightgbm(rounds: int, leaves: int) -> None:
    """Of small trees, and of deep ones that ask for one feature again and again."""
    booster = grown(rounds, num_leaves=leaves)
    ours = build_paths(extract_trees(booster)).compute_contributions(X)
    np.testing.assert_allclose(ours, np.asarray(booster.predict(X, pred_contrib=True))[:, :-1], atol=1e-12)
    assert np.abs(ours).max() > 0.1


def test_trees_of_one_leaf_contribute_nothing() -> None:
    paths = build_paths(extract_trees(grown(2, min_data_in_leaf=5_000)))
    assert not paths.compute_contributions(X).any()
    assert paths.compute_contributions(X[:0]).shape == (0, X.shape[1])


def test_trees_that_are_not_supported_are_refused() -> None:
    missing = np.where(np.arange(len(X))[:, None] % 3, X, np.float32(np.nan))
    with pytest.raises(ValueError, match="missing numbers"):
        extract_trees(grown(3, missing))
    with pytest.raises(ValueError, match="65 leaves"):
        build_quick_scorer(extract_trees(grown(1, num_leaves=65)))
    with pytest.raises(ValueError, match="at most 1: grow fewer leaves"):
        build_paths(extract_trees(grown(5)), max_features=1)
