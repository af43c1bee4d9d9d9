"""The ranker: its chances, what each feature adds to them, the prior, and the files it is kept in."""

from dataclasses import replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from scipy.special import expit, logit

from models.db.errors import IncompatibleModelError
from models.ml.arrays import Float32Array
from models.ml.features.pair_features import (
    HISTORY_FEATURES,
    build_features,
    build_profile_features,
    list_feature_groups,
)
from models.ml.profiles.feature_spec import CategoricalFeature, FeatureSpec
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
NAMES = [name for name, _ in list_feature_groups(MADE)]


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


def test_chances_by_hand() -> None:
    """Twice (3 · 1 - 2 · 0.5 + 0.25) less one is 3.5."""
    chances = linear([1, -2], intercept=0.25, slope=2.0, shift=-1.0)
    rows = np.array([[3, 0.5], [0, 0]], np.float32)
    assert chances.predict_log_odds(rows) == pytest.approx([3.5, -0.5])
    assert chances.predict_p_like(rows) == pytest.approx([1 / (1 + np.exp(-3.5)), 1 / (1 + np.exp(0.5))])
    assert chances.predict_p_like(rows).dtype == np.float32


def test_pairs_of_whose_likes_nothing_is_known_are_calibrated_apart(tmp_path: Path) -> None:
    """Of the last eight features, surprises and counts in turn, no count is above zero."""
    weights = np.zeros(1 + HISTORY_FEATURES)
    weights[0] = 2.0
    ranker = linear(weights.tolist(), slope=1.5, shift=-1.0, cold_calibration=(0.5, 0.25))
    rows = np.zeros((3, 1 + HISTORY_FEATURES), np.float32)
    rows[:, 0] = 1
    rows[1, 4] = 0.7  # the count of decisions the viewer received
    rows[2, 3] = 0.7  # their surprise
    assert ranker.predict_log_odds(rows).tolist() == [1.25, 2, 1.25]
    assert ranker.explain(rows)[:, 0].tolist() == [1, 3, 1]
    save_rankers(alone(ranker), tmp_path)
    assert load_full(tmp_path).predict_log_odds(rows).tolist() == [1.25, 2, 1.25]


def test_no_chance_is_certain() -> None:
    sure = linear([1]).predict_p_like(np.array([[1e6], [-1e6]], np.float32))
    assert 0 < sure[1] < 1e-5
    assert 1 - 1e-5 < sure[0] < 1


def test_contributions_of_a_linear_ranker_by_hand() -> None:
    chances = linear([1, -2], means=np.array([1.0, 0.5]), slope=2.0)
    assert chances.explain(np.array([[3, 0.5], [1, 0]], np.float32)).tolist() == [[4, 0], [0, 2]]


def test_contributions_add_up_to_the_log_odds(ranker: Ranker, rows: Float32Array) -> None:
    """Between any two pairs they differ by exactly as much as the log-odds do."""
    added = ranker.explain(rows).sum(axis=1)
    log_odds = ranker.predict_log_odds(rows)
    assert np.ptp(log_odds) > 2
    np.testing.assert_allclose(added - added[0], log_odds - log_odds[0], atol=1e-6)
    assert np.ptp(ranker.explain(rows)[:, 1:3]) > 1  # the trees' part
    assert ranker.explain(rows).shape == rows.shape


def test_a_row_s_chance_is_the_same_in_any_block(ranker: Ranker, rows: Float32Array) -> None:
    together = ranker.predict_p_like(rows)
    for size in (1, 3, 64, 499):
        blocks = [ranker.predict_p_like(rows[start : start + size]) for start in range(0, len(rows), size)]
        np.testing.assert_array_equal(np.concatenate(blocks), together)


def test_a_row_s_log_odds_are_the_same_to_the_bit_among_any_others() -> None:
    """A matrix product would round them by their place."""
    random = np.random.default_rng(2)
    wide = linear(random.normal(size=150).tolist())
    rows = random.normal(size=(100, 150)).astype(np.float32)
    alone = np.concatenate([wide.predict_log_odds(row[None]) for row in rows])
    np.testing.assert_array_equal(wide.predict_log_odds(rows), alone)


@pytest.mark.parametrize(("likes", "passes", "rate"), [(0, 0, 0.3), (20, 0, 0.65), (0, 20, 0.15), (10, 10, 0.4)])
def test_an_ordinary_pair_of_the_prior_has_the_shrunk_share_of_likes(likes: int, passes: int, rate: float) -> None:
    """Twenty decisions at 0.3 are added: 6 likes."""
    liked = np.repeat([True, False], [likes, passes])
    ranker = build_prior(MADE, NAMES, liked)
    ages_apart = crowd(2, MADE, age=[30, 30 + ORDINARY.age_gap], place=[[np.nan] * 2] * 2)
    pair = build_features(MADE, strangers(ages_apart, [0], [1]))
    assert ranker.predict_p_like(pair) == pytest.approx([rate], abs=1e-6)
    assert np.abs(ranker.explain(pair)).max() < 1e-6


def test_the_prior_prefers_people_of_like_age_place_and_taste() -> None:
    town = crowd(
        6,
        MADE,
        age=[30, 30, 40, 30, 30, 30],
        place=[[52, 5], [52, 5], [52, 5], [53, 5], [52, 5], [52, 5]],
        interests=[[1], [1], [1], [1], [-1], [1]],
        texts=[[direction(1)], *[[direction(1)]] * 4, [direction(-1)]],
    )
    ranker = build_prior(MADE, NAMES, np.zeros(0, bool))
    log_odds = ranker.predict_log_odds(build_features(MADE, strangers(town, [0] * 5, [1, 2, 3, 4, 5])))
    kilometres = np.log1p(6371.0088 * np.pi / 180)
    assert log_odds[0] - log_odds[1:] == pytest.approx([10 * 0.05, 0.1 * kilometres, 2, 2], abs=1e-4)


def test_an_unknown_history_or_trait_means_nothing_to_the_prior() -> None:
    ranker = build_prior(MADE, NAMES, np.zeros(0, bool))
    weighty = {name for name, weight in zip(NAMES, ranker.linear.weights, strict=True) if weight}
    assert weighty == {"interests.cosine", "texts.cosine", "age.distance", "distance.log_km"}
    assert ranker.linear.log_odds(ranker.means[None]) == pytest.approx([logit(0.3)])


def test_the_prior_sees_profiles_as_it_sees_people_of_whom_nothing_is_known() -> None:
    ranker = build_prior(MADE, NAMES, np.array([True, False]))
    town = crowd(3, MADE, age=[30, 40, 20], interests=[[1], [0], [1]])
    pairs = strangers(town, [0, 1], [2, 0])
    np.testing.assert_allclose(
        ranker.cold.log_odds(build_profile_features(MADE, pairs)),
        ranker.linear.log_odds(build_features(MADE, pairs)),
        rtol=1e-12,
    )


LIKES = np.array([True, False, True])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def alone(ranker: Ranker) -> CrossFittedRanker:
    return CrossFittedRanker(ranker, {})


def test_a_loaded_ranker_says_the_same(ranker: Ranker, rows: Float32Array, tmp_path: Path) -> None:
    save_rankers(alone(ranker), tmp_path / "a" / "b")
    loaded = load_full(tmp_path / "a" / "b")
    np.testing.assert_array_equal(loaded.predict_log_odds(rows), ranker.predict_log_odds(rows))
    np.testing.assert_array_equal(loaded.explain(rows), ranker.explain(rows))
    assert loaded.cold.log_odds(rows[:, :1]).tolist() == ranker.cold.log_odds(rows[:, :1]).tolist()
    save_rankers(alone(loaded), tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "a" / "b")


def test_those_without_a_fold_go_with_the_whole_one(ranker: Ranker, rows: Float32Array, tmp_path: Path) -> None:
    """The third fold was empty, so that nobody is without it. Each keeps whom it did not see."""
    without = {0: replace(ranker, slope=0.5), 4: replace(ranker, booster=None), 12: replace(ranker, shift=9.0)}
    viewers = {0: np.array([3, 2**62]), 4: np.array([5]), 12: np.empty(0, np.int64)}
    save_rankers(CrossFittedRanker(ranker, without, viewers), tmp_path)
    loaded = load_rankers(tmp_path)
    assert set(loaded.by_fold) == {0, 4, 12}
    assert {fold: found.tolist() for fold, found in loaded.held_out_viewers.items()} == {0: [3, 2**62], 4: [5], 12: []}
    for fold, expected in {**without, 3: ranker}.items():
        np.testing.assert_array_equal(
            loaded.get_out_of_fold(fold).predict_log_odds(rows), expected.predict_log_odds(rows)
        )
    np.testing.assert_array_equal(loaded.full.predict_log_odds(rows), ranker.predict_log_odds(rows))
    before = files(tmp_path)
    save_rankers(loaded, tmp_path)
    assert files(tmp_path) == before


def test_nothing_of_another_ranker_stays_where_one_is_saved(ranker: Ranker, tmp_path: Path) -> None:
    save_rankers(CrossFittedRanker(ranker, {1: ranker}), tmp_path)
    save_rankers(alone(replace(ranker, booster=None)), tmp_path)
    assert set(files(tmp_path)) == {"ranker.json"}
    assert load_rankers(tmp_path).by_fold == {}


@pytest.mark.parametrize("make", ["1", "999", f'"{FORMAT_VERSION}"', "null"])
def test_a_ranker_of_another_make_is_refused(make: str, tmp_path: Path) -> None:
    save_rankers(alone(linear([1.0])), tmp_path)
    text = (tmp_path / "ranker.json").read_text()
    assert f'"make": {FORMAT_VERSION}' in text
    (tmp_path / "ranker.json").write_text(text.replace(f'"make": {FORMAT_VERSION}', f'"make": {make}'))
    with pytest.raises(IncompatibleModelError, match=f"and this program reads make {FORMAT_VERSION}"):
        load_rankers(tmp_path)


def test_a_loaded_prior_says_the_same_even_where_another_ranker_was(ranker: Ranker, tmp_path: Path) -> None:
    save_rankers(alone(ranker), tmp_path)
    written = build_prior(MADE, NAMES, np.array([True, False]))
    save_rankers(alone(written), tmp_path)
    loaded = load_rankers(tmp_path).full
    assert loaded.booster is None
    assert loaded.specification == MADE
    rows = np.random.default_rng(1).normal(size=(50, len(NAMES))).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict_p_like(rows), written.predict_p_like(rows))
    np.testing.assert_allclose(loaded.predict_p_like(rows), expit(written.predict_log_odds(rows)), rtol=1e-6)


def test_nothing_to_score(ranker: Ranker, rows: Float32Array) -> None:
    assert linear([1.0, 2.0]).predict_p_like(np.empty((0, 2), np.float32)).shape == (0,)
    assert ranker.predict_p_like(rows[:0]).shape == (0,)
    assert ranker.explain(rows[:0]).shape == (0, 6)


def test_the_specification_goes_with_the_ranker(ranker: Ranker, tmp_path: Path) -> None:
    made: FeatureSpec = ranker.specification
    save_rankers(alone(ranker), tmp_path)
    assert load_rankers(tmp_path).full.specification == made
