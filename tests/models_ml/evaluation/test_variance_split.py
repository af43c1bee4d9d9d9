"""The variance split and what predictions explain of it, where the truth is known, and on real evenings."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.evaluation.variance_split import (
    ExplainedVariance,
    VarianceEstimate,
    VarianceParts,
    describe_variance,
    estimate_explained_variance,
    split_variance,
)

SPEED_DATING = Path(__file__).parents[4] / "shared" / "data" / "speed_dating.csv"


class Town:
    """Evenings of 12 by 12 with a fifth of the dates missing; effects are normal with these standard deviations."""

    def __init__(self, seed: int, evenings: int, viewers: float, candidates: float, pairs: float) -> None:
        random = np.random.default_rng(seed)
        cell = np.arange(evenings * 144)
        cell = cell[random.random(len(cell)) > 0.2]
        self.circle, place = np.divmod(cell, 144)
        self.viewer, self.candidate = self.circle * 12 + place // 12, 10_000 + self.circle * 12 + place % 12
        self.of_viewer = viewers * random.normal(size=evenings * 12)[self.viewer]
        self.of_candidate = candidates * random.normal(size=evenings * 12)[self.candidate - 10_000]
        self.of_pair = pairs * random.normal(size=len(cell))
        self.random = random

    @property
    def effect(self) -> Float64Array:
        effect: Float64Array = self.of_viewer + self.of_candidate + self.of_pair
        return effect

    def liked(self, probability: Float64Array) -> NDArray[np.bool_]:
        return self.random.random(len(probability)) < probability


def near(found: VarianceEstimate, truth: float, largest_error: float = 0.1) -> bool:
    """Whether the estimate is within three errors of the truth, and its error not so large that this says nothing."""
    return abs(found.value - truth) < 3 * found.error and found.error < largest_error


def test_probabilities_split_as_they_were_made() -> None:
    town = Town(1, 60, viewers=0.12, candidates=0.08, pairs=0.06)
    found = split_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect))
    assert near(found.variance.selectivity, 0.0144)
    assert near(found.variance.desirability, 0.0064)
    assert near(found.share.selectivity, 0.0144 / 0.25)
    assert near(found.share.desirability, 0.0064 / 0.25)
    assert near(found.share.chemistry, 1 - (0.0144 + 0.0064) / 0.25)
    assert found.share.chemistry.error < 0.02


@pytest.mark.parametrize("threshold", [0.0, 0.8, -0.8])
def test_latent_shares_are_those_of_the_liking_behind_a_threshold(threshold: float) -> None:
    towns = [Town(seed, 60, math.sqrt(0.3), math.sqrt(0.2), math.sqrt(0.5)) for seed in range(10)]
    latents = [
        split_variance(town.viewer, town.candidate, town.circle, town.effect > threshold).latent for town in towns
    ]
    for part, truth in (("selectivity", 0.3), ("desirability", 0.2), ("chemistry", 0.5)):
        mean = np.mean([getattr(latent, part).value for latent in latents])
        error = np.mean([getattr(latent, part).error for latent in latents]) / math.sqrt(10)
        assert abs(mean - truth) < 3 * error < 0.03


def test_errors_are_as_large_as_the_estimates_scatter() -> None:
    towns = [Town(seed, 15, viewers=0.15, candidates=0.1, pairs=0) for seed in range(60)]
    shares = [
        split_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect)).share for town in towns
    ]
    for part in ("selectivity", "desirability", "chemistry"):
        estimates = [getattr(share, part) for share in shares]
        scatter = np.std([each.value for each in estimates])
        assert 0.75 < np.mean([each.error for each in estimates]) / scatter < 1.33


def test_coins_split_into_error_alone() -> None:
    town = Town(3, 30, 0, 0, 0)
    share = split_variance(town.viewer, town.candidate, town.circle, town.liked(np.full(len(town.circle), 0.4))).share
    assert near(share.selectivity, 0)
    assert near(share.desirability, 0)
    assert near(share.chemistry, 1)


def test_viewers_who_like_all_or_nobody_split_into_selectivity_alone() -> None:
    town = Town(4, 20, 1, 0, 0)
    found = split_variance(town.viewer, town.candidate, town.circle, town.effect > 0)
    assert found.share.selectivity.value == pytest.approx(1, abs=1e-3)
    assert found.share.desirability.value == pytest.approx(0, abs=1e-3)
    assert found.share.chemistry.value == pytest.approx(0, abs=1e-3)


def test_without_a_difference_there_are_no_shares() -> None:
    town = Town(5, 3, 0, 0, 0)
    everybody = split_variance(town.viewer, town.candidate, town.circle, np.ones(len(town.circle)))
    assert everybody.variance.selectivity == VarianceEstimate(0, 0)
    assert math.isnan(everybody.share.selectivity.value)
    assert math.isnan(split_variance([], [], [], []).share.chemistry.value)


def test_one_circle_has_no_error() -> None:
    town = Town(6, 1, 0.2, 0.2, 0)
    share = split_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect)).share
    assert 0 < share.chemistry.value < 1.1
    assert math.isnan(share.chemistry.error)


def test_the_truth_explains_people_and_of_chemistry_all_but_the_error() -> None:
    town = Town(7, 80, viewers=0.1, candidates=0.1, pairs=0.1)
    truth = 0.5 + town.effect
    known = estimate_explained_variance(town.viewer, town.candidate, town.circle, town.liked(truth), truth)
    assert near(known.share.selectivity, 1, 0.15)
    assert near(known.share.desirability, 1, 0.15)
    of_pairs = 0.01 / (0.25 - 0.02)
    assert near(known.share.chemistry, of_pairs)
    assert near(known.correlation.chemistry, math.sqrt(of_pairs))


def test_half_the_effect_of_a_viewer_is_half_explained() -> None:
    """Predictions know the half of each viewer's effect that a profile shows, and nothing of candidates or pairs."""
    shown, hidden = Town(8, 120, 0.12, 0.1, 0), Town(9, 120, 0.12, 0, 0)
    hidden_effect = pd.Series(hidden.of_viewer, hidden.viewer).groupby(level=0).first()
    effect = shown.effect + hidden_effect.reindex(shown.viewer).to_numpy()
    known = estimate_explained_variance(
        shown.viewer, shown.candidate, shown.circle, shown.liked(0.5 + effect), 0.5 + shown.of_viewer
    )
    assert near(known.share.selectivity, 0.5)
    assert near(known.correlation.selectivity, math.sqrt(0.5))
    for nothing in (known.share.desirability, known.share.chemistry):
        assert near(nothing, 0, 0.02)
    for unknown in (known.correlation.desirability, known.correlation.chemistry):
        assert math.isnan(unknown.value)


def test_one_prediction_for_all_explains_nothing() -> None:
    town = Town(10, 20, 0.15, 0.15, 0)
    known = estimate_explained_variance(
        town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect), np.full(len(town.circle), 0.4)
    )
    for part in (known.share.selectivity, known.share.desirability, known.share.chemistry):
        assert part.value == pytest.approx(0, abs=1e-9)
    assert math.isnan(known.correlation.selectivity.value)


def test_predictions_that_shout_explain_less_than_nothing() -> None:
    town = Town(11, 60, 0.1, 0.1, 0)
    loud = 0.5 + 3 * town.effect
    known = estimate_explained_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect), loud)
    assert near(known.share.selectivity, 2 * 3 - 3**2, 2)
    assert known.share.selectivity.value + 2 * known.share.selectivity.error < 0
    assert near(known.correlation.selectivity, 1, 0.15)


def test_neither_the_order_of_rows_nor_names_change_anything() -> None:
    town = Town(12, 10, 0.1, 0.1, 0.1)
    liked, p_like = town.liked(0.5 + town.effect), 0.5 + town.of_viewer
    order = np.random.default_rng(1).permutation(len(liked))
    before = estimate_explained_variance(town.viewer, town.candidate, town.circle, liked, p_like)
    names = town.viewer[order].astype(str)
    after = estimate_explained_variance(names, town.candidate[order], town.circle[order], liked[order], p_like[order])
    assert after.share.selectivity.value == pytest.approx(before.share.selectivity.value)
    assert after.share.chemistry.error == pytest.approx(before.share.chemistry.error)


def test_chemistry_is_said_to_be_hardly_predictable_only_when_it_is() -> None:
    parts = VarianceParts(VarianceEstimate(0.2, 0.01), VarianceEstimate(0.1, 0.01), VarianceEstimate(0.7, 0.01))
    divided = split_variance([], [], [], [])
    said = {
        figure: describe_variance(
            divided,
            ExplainedVariance(VarianceParts(parts.selectivity, parts.desirability, VarianceEstimate(*figure)), parts),
        )[-1]
        for figure in ((0.01, 0.004), (-0.01, 0.004), (0.01, 0.006), (0.035, 0.005), (0.0, math.nan))
    }
    assert "hardly predictable" in said[0.01, 0.004]
    assert "at most 1.8 %" in said[0.01, 0.004]
    assert "at most 0.0 %" in said[-0.01, 0.004]
    assert "do not say" in said[0.01, 0.006]
    assert "know something" in said[0.035, 0.005]
    assert "do not say" in said[0.0, math.nan]


def test_sentences_hold_the_figures() -> None:
    parts = VarianceParts(
        VarianceEstimate(0.185, 0.018), VarianceEstimate(0.159, 0.016), VarianceEstimate(0.656, 0.019)
    )
    town = Town(13, 20, 0.1, 0.1, 0)
    found = split_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect))
    known = ExplainedVariance(share=parts, correlation=parts)
    assert f"{100 * found.share.selectivity.value:.1f} % (standard error" in describe_variance(found, known)[0]
    assert describe_variance(found, known)[1] == (
        "The predictions explain 18.5 % (standard error 1.8) of selectivity, 15.9 % (standard error 1.6) of "
        "desirability and 65.6 % (standard error 1.9) of chemistry and error."
    )


def test_of_a_single_circle_no_error_is_said() -> None:
    town = Town(1, 1, 0.1, 0.1, 0)
    found = split_variance(town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect))
    known = estimate_explained_variance(
        town.viewer, town.candidate, town.circle, town.liked(0.5 + town.effect), 0.5 + town.effect
    )
    said = " ".join(describe_variance(found, known))
    assert f"{100 * found.share.selectivity.value:.1f} % is the viewer's selectivity" in said
    assert "nan" not in said


@pytest.mark.skipif(not SPEED_DATING.exists(), reason="the speed-dating file is not in ../shared/data")
def test_real_evenings() -> None:
    """People differ in how choosy and in how desired they are; most of a single decision is neither."""
    dates = pd.read_csv(SPEED_DATING, encoding="latin1", usecols=["iid", "pid", "wave", "gender", "dec"]).dropna()
    found = split_variance(dates["iid"], dates["pid"], dates["wave"], dates["dec"])
    assert found.share.selectivity.value == pytest.approx(0.185, abs=0.001)
    assert found.share.desirability.value == pytest.approx(0.159, abs=0.001)
    assert found.share.chemistry.value == pytest.approx(0.656, abs=0.001)
    assert found.share.chemistry.error == pytest.approx(0.019, abs=0.001)
    assert found.latent.chemistry.value == pytest.approx(0.456, abs=0.001)
