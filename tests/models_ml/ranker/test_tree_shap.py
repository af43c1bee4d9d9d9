"""TreeSHAP by tables: LightGBM's own numbers, and Shapley's own sums where a tree is small enough for them."""

import numpy as np
import pytest

from models.ml.ranker import tree_shap
from models.ml.ranker.tree_arrays import extract_trees
from models.ml.ranker.tree_shap import build_paths
from tests.models_ml.ranker.test_tree_arrays import grown, some


@pytest.mark.parametrize(("rounds", "leaves"), [(1, 2), (40, 7), (20, 31)])
def test_the_same_contributions_as_lightgbm(rounds: int, leaves: int) -> None:
    """Small trees, and deep ones that ask for the same feature again and again."""
    features = some()
    booster = grown(features, rounds, num_leaves=leaves)
    theirs = np.asarray(booster.predict(features, pred_contrib=True))
    ours = build_paths(extract_trees(booster)).compute_contributions(features)
    np.testing.assert_allclose(ours, theirs[:, :-1], atol=1e-12)
    assert np.abs(ours).max() > 0.1
    said = np.asarray(booster.predict(features, raw_score=True))
    np.testing.assert_allclose(ours.sum(axis=1) + theirs[0, -1], said, atol=1e-9)


def test_one_split_gives_all_to_its_feature() -> None:
    """Of a tree with two leaves a feature adds its leaf's value less the mean over the training rows."""
    features = some()
    booster = grown(features, 1, num_leaves=2)
    (feature,) = {int(each) for each in extract_trees(booster).feature[:1]}
    said = np.asarray(booster.predict(features, raw_score=True))
    found = build_paths(extract_trees(booster)).compute_contributions(features)
    np.testing.assert_allclose(found[:, feature], said - said.mean(), atol=1e-12)
    assert not np.delete(found, feature, axis=1).any()


def test_trees_that_are_one_leaf_add_nothing() -> None:
    features = some()
    booster = grown(features, 2, min_data_in_leaf=5_000)
    assert not build_paths(extract_trees(booster)).compute_contributions(features).any()
    assert build_paths(extract_trees(booster)).compute_contributions(features[:0]).shape == (0, features.shape[1])


def test_a_leaf_under_too_many_features_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_shap, "MAX_FEATURES", 1)
    with pytest.raises(ValueError, match=r"a leaf lies under \d features; .* grow fewer leaves"):
        build_paths(extract_trees(grown(some(), 5)))
