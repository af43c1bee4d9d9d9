"""The variance split, where the truth is known and on real evenings, and the crossed random effects under it."""

import math
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.evaluation import variance_split as module
from models.ml.evaluation.variance_split import VarianceEstimate, VarianceParts
from models.ml.validation.crossed_random_effects import CrossedDesign, build_design, estimate_components
from tests.pipelines.loaders.conftest import public_file

Cells = set[tuple[int, int, int]]
# Who met whom, in up to two circles of people with holes anywhere.
holes = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=40)


def columns(cells: Cells) -> tuple[Int64Array, Int64Array, Int64Array]:
    circle, viewer, candidate = np.array(sorted(cells)).T
    return viewer, candidate, circle


def full(n_viewers: int, n_candidates: int) -> CrossedDesign:
    viewer, candidate = np.divmod(np.arange(n_viewers * n_candidates), n_candidates)
    return build_design(viewer, candidate, np.zeros(len(viewer)))


def variances(pairs: CrossedDesign, value: Float64Array) -> Float64Array:
    estimate: Float64Array = estimate_components(pairs, value, value)[0]
    return estimate


def test_a_full_block_is_the_analysis_of_variance() -> None:
    table = np.random.default_rng(1).normal(size=(6, 4)) + np.arange(6)[:, None] + np.arange(4) ** 2
    rows, cols, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    mean_square = ((table - rows[:, None] - cols + mean) ** 2).sum() / (5 * 3)
    of_rows, of_cols = 4 * ((rows - mean) ** 2).sum() / 5, 6 * ((cols - mean) ** 2).sum() / 3
    expected = [(of_rows - mean_square) / 4, (of_cols - mean_square) / 6, mean_square]
    assert variances(full(6, 4), table.ravel()) == pytest.approx(expected)


@settings(max_examples=30)
@given(holes)
def test_estimates_are_unbiased_whatever_is_missing(cells: Cells) -> None:
    """A quadratic of independent effects of variance 1 has as expectation the sum over each effect alone."""
    pairs = build_design(*columns(cells))
    assume(np.isfinite(variances(pairs, np.zeros(len(cells)))).all())
    for code, expected in (
        (pairs.viewer, [1, 0, 0]),
        (pairs.candidate, [0, 1, 0]),
        (np.arange(len(cells)), [0, 0, 1]),
    ):
        alone = [variances(pairs, (code == each).astype(np.float64)) for each in range(code.max() + 1)]
        assert np.sum(alone, axis=0) == pytest.approx(expected, abs=1e-6)
    value = np.asarray(np.arange(len(cells)) ** 2 % 7, np.float64)
    assert variances(pairs, value + 10 * pairs.block) == pytest.approx(variances(pairs, value), abs=1e-6)


def test_blocks_are_the_linked_people_of_a_circle() -> None:
    """Women 1 and 2 as viewers of men 8 and 9, the other way about, and the same women on another evening."""
    viewer, candidate = [1, 1, 2, 8, 9, 9, 1, 2], [8, 9, 9, 1, 1, 2, 7, 7]
    block = build_design(viewer, candidate, [0] * 6 + [1] * 2).block
    assert [len(set(block[part])) for part in (slice(0, 3), slice(3, 6), slice(6, 8))] == [1, 1, 1]
    assert len(set(block)) == 3


def test_a_design_that_cannot_tell_gives_nan() -> None:
    for viewer, candidate in (([], []), ([1], [2]), ([1, 2, 3], [4, 5, 6]), ([1, 2], [3, 3]), ([1, 1], [2, 3])):
        pairs = build_design(viewer, candidate, np.zeros(len(viewer)))
        assert np.isnan(variances(pairs, np.arange(len(viewer), dtype=np.float64))).any()


def test_a_pair_decides_once_in_a_circle() -> None:
    with pytest.raises(ValueError, match="1 of 3 pairs"):
        build_design([1, 1, 2], [5, 5, 5], [0, 0, 0])
    assert len(build_design([1, 1], [5, 5], [0, 1]).block) == 2


class Town:
    """Evenings of 12 by 12 with a fifth of the dates missing; effects are normal with these standard deviations."""

    def __init__(self, evenings: int, viewers: float, candidates: float, pairs: float) -> None:
        self.random = np.random.default_rng(1)
        cell = np.arange(evenings * 144)
        cell = cell[self.random.random(len(cell)) > 0.2]
        circle, place = np.divmod(cell, 144)
        viewer, candidate = circle * 12 + place // 12, 10_000 + circle * 12 + place % 12
        self.who = (viewer, candidate, circle)
        self.of_viewer = viewers * self.random.normal(size=evenings * 12)[viewer]
        of_candidate = candidates * self.random.normal(size=evenings * 12)[candidate - 10_000]
        self.effect = self.of_viewer + of_candidate + pairs * self.random.normal(size=len(cell))

    def liked(self) -> BoolArray:
        return np.asarray(self.random.random(len(self.effect)) < 0.5 + self.effect)


def values(parts: VarianceParts) -> Float64Array:
    """Selectivity, desirability and chemistry."""
    return np.array(astuple(parts))[:, 0]


def assert_near(parts: VarianceParts, truth: list[float], largest_error: float) -> None:
    """Within four errors of the truth, which chance hardly leaves, and errors not so large that this says nothing."""
    found, error = np.array(astuple(parts)).T
    assert (np.abs(found - truth) < 4 * error).all()
    assert (error < largest_error).all()


def test_probabilities_split_as_they_were_made() -> None:
    town = Town(60, viewers=0.12, candidates=0.08, pairs=0.06)
    found = module.split_variance(*town.who, town.liked())
    rest = 0.25 - 0.0144 - 0.0064
    assert_near(found.variance, [0.0144, 0.0064, rest], 0.01)
    assert_near(found.share, [0.0144 / 0.25, 0.0064 / 0.25, rest / 0.25], 0.02)


def test_latent_shares_are_of_the_liking_behind_a_threshold() -> None:
    town = Town(300, math.sqrt(0.3), math.sqrt(0.2), math.sqrt(0.5))
    assert_near(module.split_variance(*town.who, town.effect > 0.8).latent, [0.3, 0.2, 0.5], 0.02)


def test_errors_are_jackknifed_by_circle() -> None:
    town = Town(4, 0.2, 0.2, 0)
    liked, circle = town.liked(), town.who[2]
    found = astuple(module.split_variance(*town.who, liked).share)
    without = [module.split_variance(*(part[circle != each] for part in (*town.who, liked))).share for each in range(4)]
    spread = np.std([values(each) for each in without], axis=0)
    assert [error for _, error in found] == pytest.approx(spread * math.sqrt(3))


def test_predictions_explain_by_their_size_and_direction() -> None:
    """Those that say a times each difference explain 2a - a², and correlate fully unless they say nothing."""
    town = Town(10, 0.2, 0.2, 0)
    liked = town.liked()
    for times, correlation in ((1.0, 1.0), (0.5, 1.0), (3.0, 1.0), (0.0, math.nan)):
        known = module.estimate_explained_variance(*town.who, liked, 0.4 + times * liked)
        assert values(known.share) == pytest.approx(2 * times - times**2)
        assert values(known.correlation) == pytest.approx(correlation, nan_ok=True)
    order = town.random.permutation(len(liked))
    viewer, candidate, circle = (part[order] for part in town.who)
    again = module.estimate_explained_variance(
        viewer.astype(str), candidate, circle, liked[order], town.of_viewer[order]
    )
    once = module.estimate_explained_variance(*town.who, liked, town.of_viewer)
    assert np.array(astuple(again.share)) == pytest.approx(np.array(astuple(once.share)))


def test_the_truth_explains_people_and_little_chemistry() -> None:
    town = Town(300, viewers=0.1, candidates=0.1, pairs=0.1)
    known = module.estimate_explained_variance(*town.who, town.liked(), 0.5 + town.effect)
    of_pairs = 0.01 / (0.25 - 0.02)
    assert_near(known.share, [1, 1, of_pairs], 0.15)
    assert_near(known.correlation, [1, 1, math.sqrt(of_pairs)], 0.15)


def test_of_viewers_alone_one_circle_and_no_difference() -> None:
    choosy = Town(20, 1, 0, 0)
    assert values(module.split_variance(*choosy.who, choosy.effect > 0).share) == pytest.approx([1, 0, 0], abs=1e-3)
    single = Town(1, 0.2, 0.2, 0)
    assert math.isnan(module.split_variance(*single.who, single.liked()).share.chemistry.error)
    all_liked = module.split_variance(*choosy.who, np.ones(len(choosy.effect)))
    assert all_liked.variance.selectivity == VarianceEstimate(0, 0)
    assert np.isnan(values(all_liked.share)).all()
    assert np.isnan(values(module.split_variance([], [], [], []).share)).all()


def test_the_description_has_the_figures_that_are_known() -> None:
    def describe(value: float, error: float) -> str:
        parts = VarianceParts(
            VarianceEstimate(0.185, 0.018), VarianceEstimate(0.159, math.nan), VarianceEstimate(value, error)
        )
        split = module.VarianceSplit(parts, parts, parts)
        return " ".join(module.describe_variance(split, module.ExplainedVariance(parts, parts)))

    assert "18.5 % (standard error 1.8)" in describe(0.0, math.nan)
    assert "nan" not in describe(0.0, math.nan)
    assert "at most 1.8 %" in describe(0.01, 0.004)
    assert "at most 0.0 %" in describe(-0.01, 0.004)
    assert "nothing that can be measured of chemistry" in describe(-0.01, 0.004)
    assert "nothing" not in describe(0.01, 0.004)
    for unsure in ((0.01, 0.006), (0.0, math.nan)):
        assert "do not say" in describe(*unsure)
    assert "know something" in describe(0.035, 0.005)


def test_real_evenings() -> None:
    """People differ in how choosy and in how desired they are; most of a single decision is neither."""
    columns = ["iid", "pid", "wave", "gender", "dec"]
    dates = pd.read_csv(public_file("speed_dating.csv"), encoding="latin1", usecols=columns).dropna()
    found = module.split_variance(dates["iid"], dates["pid"], dates["wave"], dates["dec"])
    assert values(found.share) == pytest.approx([0.185, 0.159, 0.656], abs=0.001)
    assert found.share.chemistry.error == pytest.approx(0.019, abs=0.001)
    assert found.latent.chemistry.value == pytest.approx(0.456, abs=0.001)
