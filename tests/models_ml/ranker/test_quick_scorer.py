"""Trees asked split by split: LightGBM's own sums to the bit."""

import lightgbm as lgb
import numpy as np
import pytest

from models.ml.arrays import Float32Array
from models.ml.ranker.quick_scorer import QuickScorer, build_quick_scorer
from models.ml.ranker.tree_arrays import extract_trees
from tests.models_ml.ranker.test_tree_arrays import grown, some


def scorer(booster: lgb.Booster) -> QuickScorer:
    return build_quick_scorer(extract_trees(booster))


def said(booster: lgb.Booster, features: Float32Array) -> object:
    return booster.predict(features, raw_score=True)


@pytest.mark.parametrize(("rounds", "leaves"), [(1, 2), (1, 7), (40, 8), (20, 33), (10, 64)])
def test_the_same_sums_to_the_bit(rounds: int, leaves: int) -> None:
    features = some()
    booster = grown(features, rounds, num_leaves=leaves)
    found = scorer(booster).predict(np.asfortranarray(features))
    np.testing.assert_array_equal(found, said(booster, features))
    assert len(np.unique(found)) >= min(leaves, 4)
    assert max(tree["num_leaves"] for tree in booster.dump_model()["tree_info"]) == leaves


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 129, 257])
def test_a_row_has_its_sum_wherever_it_stands_and_however_rows_lie_in_memory(rows: int) -> None:
    features = some()
    booster = grown(features, 40)
    last = features[len(features) - rows :]
    for laid_out in (last, np.asfortranarray(last)):
        alone = scorer(booster).predict(laid_out)
        np.testing.assert_array_equal(alone, np.asarray(said(booster, features))[len(features) - rows :])


def test_a_number_that_is_the_threshold_goes_left() -> None:
    """Thresholds moved to quarters, as features are."""
    text = grown(some(), 40).model_to_string()
    told = [line for line in text.splitlines() if not line.startswith("tree_sizes")]
    booster = lgb.Booster(model_str="\n".join(in_quarters(line) for line in told))
    features = (np.round(4 * some()) / 4).astype(np.float32)
    # What LightGBM takes for zero is no number to compare by.
    features[features == 0] = 0.25
    np.testing.assert_array_equal(scorer(booster).predict(features), said(booster, features))
    assert np.isin(features, extract_trees(booster).threshold).any()


def in_quarters(line: str) -> str:
    name, _, numbers = line.partition("=")
    if name != "threshold":
        return line
    return f"threshold={' '.join(str(round(4 * float(number)) / 4) for number in numbers.split())}"


def test_trees_that_are_one_leaf() -> None:
    features = some()
    booster = grown(features, 2, min_data_in_leaf=5_000)
    np.testing.assert_array_equal(scorer(booster).predict(features), said(booster, features))


def test_a_tree_of_too_many_leaves_is_refused() -> None:
    with pytest.raises(ValueError, match="a tree has 65 leaves; at most 64 can be told apart: grow fewer"):
        scorer(grown(some(), 1, num_leaves=65))
