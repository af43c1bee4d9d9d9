"""Trees walked by us and by LightGBM: the same sums to the bit."""

import lightgbm as lgb
import numpy as np
import pytest

from models.ml.trees import trees

PARAMETERS = {"objective": "binary", "num_leaves": 7, "min_data_in_leaf": 5, "verbose": -1, "seed": 1}


def some(rows: int = 2_000) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Numbers of which many are equal, and some columns constant."""
    random = np.random.default_rng(1)
    features = random.normal(size=(rows, 6)).astype(np.float32)
    features[:, 1] = np.round(features[:, 1])
    features[:, 2] = 3
    return features


def grown(features: np.ndarray[tuple[int, int], np.dtype[np.float32]], rounds: int, **more: object) -> lgb.Booster:
    liked = (features[:, 0] * features[:, 1] + features[:, 3] > 0.3).astype(np.int8)
    return lgb.train(PARAMETERS | more, lgb.Dataset(features, liked), rounds)


@pytest.mark.parametrize("rounds", [1, 40])
def test_the_same_sums_to_the_bit(rounds: int) -> None:
    features = some()
    booster = grown(features, rounds)
    found = trees(booster).predict(features)
    np.testing.assert_array_equal(found, booster.predict(features, raw_score=True))
    assert len(np.unique(found)) > 3


def test_a_number_that_is_the_threshold_goes_left() -> None:
    """Thresholds moved to quarters, as features are."""
    text = grown(some(), 40).model_to_string()
    told = [line for line in text.splitlines() if not line.startswith("tree_sizes")]
    booster = lgb.Booster(model_str="\n".join(in_quarters(line) for line in told))
    features = (np.round(4 * some()) / 4).astype(np.float32)
    # What LightGBM takes for zero is no number to compare by.
    features[features == 0] = 0.25
    np.testing.assert_array_equal(trees(booster).predict(features), booster.predict(features, raw_score=True))
    assert np.isin(features, trees(booster).threshold).any()


def in_quarters(line: str) -> str:
    name, _, numbers = line.partition("=")
    if name != "threshold":
        return line
    return f"threshold={' '.join(str(round(4 * float(number)) / 4) for number in numbers.split())}"


def test_a_tree_that_is_one_leaf() -> None:
    features = some()
    booster = grown(features, 2, min_data_in_leaf=5_000)
    np.testing.assert_array_equal(trees(booster).predict(features), booster.predict(features, raw_score=True))
    assert trees(booster).predict(features[:0]).shape == (0,)


def test_trees_that_know_missing_numbers_are_refused() -> None:
    features = some()
    features[::3, 0] = np.nan
    with pytest.raises(ValueError, match="only trees of plain numbers"):
        trees(grown(features, 3))
