"""The ranker: its probabilities, what each feature adds to them, the prior, and the files it is stored in."""

from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import logit

from models.db.errors import IncompatibleModelError
from models.ml.arrays import Float32Array
from models.ml.features import pair_features
from models.ml.profiles.feature_spec import CategoricalFeature
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import (
    FORMAT_VERSION,
    CrossFittedRanker,
    Ranker,
    build_prior,
    load_full,
    load_rankers,
    save_rankers,
)
from tests.models_ml.conftest import ORDINARY, crowd, direction, number, specification, strangers

MADE = specification(
    traits=[number("warmth", 1.5, 0.1)],
    facts=[CategoricalFeature("smokes", ("nein", "jä"), (0.7, 0.2))],
    interests={"cats": 1.0},
)
NAMES = [name for name, _ in pair_features.list_feature_groups(MADE)]


def linear(weights: list[float], intercept: float = 0.0, **parts: object) -> Ranker:
    fitted: dict[str, object] = {"specification": specification(), "cold": LinearModel(np.array([0.5]), 0.25)}
    fitted |= {"linear": LinearModel(np.array(weights), intercept), "means": np.zeros(len(weights))}
    return Ranker(**fitted | {"slope": 1.0, "shift": 0.0, "booster": None} | parts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rows() -> Float32Array:
    return np.random.default_rng(1).normal(size=(500, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def ranker(rows: Float32Array) -> Ranker:
    """Linear in the first feature, trees on the second and third together."""
    data = lgb.Dataset(rows, (rows[:, 1] * rows[:, 2] > 0).astype(int))
    trees = lgb.train({"objective": "binary", "verbose": -1, "num_leaves": 6, "deterministic": True}, data, 30)
    means = rows.mean(axis=0, dtype=float)
    return linear([0.7, 0, 0, 0, 1e-3, -2], means=means, intercept=0.1, slope=0.8, shift=-0.3, booster=trees)


def test_probabilities_and_contributions_by_hand() -> None:
    """Twice (3 · 1 - 2 · 0.5 + 0.25) less one is 3.5."""
    made = linear([1, -2], intercept=0.25, means=np.array([1.0, 0.5]), slope=2.0, shift=-1.0)
    rows = np.array([[3, 0.5], [0, 0]], np.float32)
    assert made.predict_log_odds(rows) == pytest.approx([3.5, -0.5])
    assert made.predict_p_like(rows) == pytest.approx([1 / (1 + np.exp(-3.5)), 1 / (1 + np.exp(0.5))])
    assert made.predict_p_like(rows).dtype == np.float32
    assert made.explain(rows).tolist() == [[4, 0], [-2, 2]]
    sure = linear([1]).predict_p_like(np.array([[1e6], [-1e6]], np.float32))
    assert 1e-5 > sure[1] > 0 < 1 - sure[0] < 1e-5


def test_pairs_without_history_are_calibrated_apart(tmp_path: Path) -> None:
    """Of the last eight features, residuals and counts in turn, no count is above zero."""
    weights = np.zeros(1 + pair_features.HISTORY_FEATURES)
    weights[0] = 2.0
    ranker = linear(weights.tolist(), slope=1.5, shift=-1.0, cold_calibration=(0.5, 0.25))
    rows = np.zeros((3, 1 + pair_features.HISTORY_FEATURES), np.float32)
    rows[:, 0] = 1
    rows[1, 4] = 0.7  # the count of decisions the viewer received
    rows[2, 3] = 0.7  # their residual
    assert ranker.predict_log_odds(rows).tolist() == [1.25, 2, 1.25]
    assert ranker.explain(rows)[:, 0].tolist() == [1, 3, 1]
    save_rankers(alone(ranker), tmp_path)
    assert load_full(tmp_path).predict_log_odds(rows).tolist() == [1.25, 2, 1.25]


def test_contributions_add_up_to_the_log_odds(ranker: Ranker, rows: Float32Array) -> None:
    """Between any two pairs they differ by exactly as much as the log-odds do."""
    added, log_odds = ranker.explain(rows).sum(axis=1), ranker.predict_log_odds(rows)
    assert np.ptp(log_odds) > 2
    np.testing.assert_allclose(added - added[0], log_odds - log_odds[0], atol=1e-6)
    assert np.ptp(ranker.explain(rows)[:, 1:3]) > 1  # the trees' part


def test_log_odds_are_the_same_to_the_bit_among_any_others(ranker: Ranker, rows: Float32Array) -> None:
    """A matrix product would round them by their place."""
    random = np.random.default_rng(2)
    wide, many = linear(random.normal(size=150).tolist()), random.normal(size=(100, 150)).astype(np.float32)
    for each, asked in ((ranker, rows), (wide, many)):
        for size in (1, 64):
            blocks = [each.predict_log_odds(asked[start : start + size]) for start in range(0, len(asked), size)]
            np.testing.assert_array_equal(np.concatenate(blocks), each.predict_log_odds(asked))
        assert each.predict_p_like(asked[:0]).shape == (0,)
        assert each.explain(asked[:0]).shape == (0, asked.shape[1])


@pytest.mark.parametrize(("likes", "passes", "rate"), [(0, 0, 0.3), (20, 0, 0.65), (0, 20, 0.15), (10, 10, 0.4)])
def test_prior_of_a_default_pair_is_the_shrunk_rate(likes: int, passes: int, rate: float) -> None:
    """Twenty decisions at 0.3 are added: 6 likes."""
    ranker = build_prior(MADE, NAMES, np.repeat([True, False], [likes, passes]))
    ages_apart = crowd(2, MADE, age=[30, 30 + ORDINARY.age_gap], place=[[np.nan] * 2] * 2)
    pair = pair_features.build_features(MADE, strangers(ages_apart, [0], [1]))
    assert ranker.predict_p_like(pair) == pytest.approx([rate], abs=1e-6)
    assert np.abs(ranker.explain(pair)).max() < 1e-6


def test_prior_prefers_like_age_place_and_taste() -> None:
    town = crowd(
        6,
        MADE,
        age=[30, 30, 40, 30, 30, 30],
        place=[[52, 5], [52, 5], [52, 5], [53, 5], [52, 5], [52, 5]],
        interests=[[1], [1], [1], [1], [-1], [1]],
        texts=[[direction(1)], *[[direction(1)]] * 4, [direction(-1)]],
    )
    ranker = build_prior(MADE, NAMES, np.zeros(0, bool))
    pairs = strangers(town, [0] * 5, [1, 2, 3, 4, 5])
    log_odds = ranker.predict_log_odds(pair_features.build_features(MADE, pairs))
    kilometres = np.log1p(6371.0088 * np.pi / 180)
    assert log_odds[0] - log_odds[1:] == pytest.approx([10 * 0.05, 0.1 * kilometres, 2, 2], abs=1e-4)
    np.testing.assert_allclose(
        ranker.cold.log_odds(pair_features.build_profile_features(MADE, pairs)), log_odds, rtol=1e-12
    )
    weighty = {name for name, weight in zip(NAMES, ranker.linear.weights, strict=True) if weight}
    assert weighty == {"interests.cosine", "texts.cosine", "age.distance", "distance.log_km"}
    assert ranker.linear.log_odds(ranker.means[None]) == pytest.approx([logit(0.3)])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def alone(ranker: Ranker) -> CrossFittedRanker:
    return CrossFittedRanker(ranker, {})


def test_loaded_rankers_say_the_same(ranker: Ranker, rows: Float32Array, tmp_path: Path) -> None:
    """The third fold was empty, so that no ranker is without it. Each keeps the viewers it did not see."""
    without = {0: replace(ranker, slope=0.5), 4: replace(ranker, booster=None), 12: replace(ranker, shift=9.0)}
    viewers = {0: np.array([3, 2**62]), 4: np.array([5]), 12: np.empty(0, np.int64)}
    save_rankers(CrossFittedRanker(ranker, without, viewers), tmp_path / "a" / "b")
    loaded = load_rankers(tmp_path / "a" / "b")
    assert set(loaded.by_fold) == {0, 4, 12}
    assert {fold: found.tolist() for fold, found in loaded.held_out_viewers.items()} == {0: [3, 2**62], 4: [5], 12: []}
    for fold, expected in {**without, 3: ranker}.items():
        found = loaded.get_out_of_fold(fold)
        np.testing.assert_array_equal(found.predict_log_odds(rows), expected.predict_log_odds(rows))
        np.testing.assert_array_equal(found.explain(rows), expected.explain(rows))
        assert found.cold.log_odds(rows[:, :1]).tolist() == expected.cold.log_odds(rows[:, :1]).tolist()
    np.testing.assert_array_equal(load_full(tmp_path / "a" / "b").explain(rows), ranker.explain(rows))
    save_rankers(loaded, tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "a" / "b")


def test_a_saved_prior_leaves_nothing_of_an_earlier_ranker(ranker: Ranker, tmp_path: Path) -> None:
    save_rankers(CrossFittedRanker(ranker, {1: ranker}), tmp_path)
    prior = build_prior(MADE, NAMES, np.array([True, False]))
    save_rankers(alone(prior), tmp_path)
    assert set(files(tmp_path)) == {"ranker.json"}
    loaded = load_rankers(tmp_path)
    assert (loaded.by_fold, loaded.full.booster, loaded.full.specification) == ({}, None, MADE)
    rows = np.random.default_rng(1).normal(size=(50, len(NAMES))).astype(np.float32)
    np.testing.assert_array_equal(loaded.full.predict_p_like(rows), prior.predict_p_like(rows))


@pytest.mark.parametrize("version", ["1", "999", f'"{FORMAT_VERSION}"', "null"])
def test_another_format_version_is_refused(version: str, tmp_path: Path) -> None:
    save_rankers(alone(linear([1.0])), tmp_path)
    text = (tmp_path / "ranker.json").read_text()
    assert f'"make": {FORMAT_VERSION}' in text
    (tmp_path / "ranker.json").write_text(text.replace(f'"make": {FORMAT_VERSION}', f'"make": {version}'))
    with pytest.raises(IncompatibleModelError, match=str(FORMAT_VERSION)):
        load_rankers(tmp_path)
