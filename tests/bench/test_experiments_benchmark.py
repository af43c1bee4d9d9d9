"""In a small market: assignment by person misses the effect, and regions, corrected, find it."""

import numpy as np
import pytest

from models.ml.market.outcomes.expected_matches import compute_expected_matches
from tests.bench.experiments import measure_contrast, repeat_design
from tests.bench.regional_market import RegionalMarket, draw_nights, make_regional_market


@pytest.fixture(scope="module")
def market() -> RegionalMarket:
    return make_regional_market(regions=16, size=30, candidates=24, across=0.05)


def test_regions_find_what_persons_miss(market: RegionalMarket) -> None:
    (naive,) = repeat_design(market, "person", 6)
    plain, corrected = repeat_design(market, "region", 6)
    assert naive.bias < -market.true_lift / 3
    assert abs(corrected.bias) < abs(naive.bias) / 2
    assert corrected.covered == 1
    assert (naive.contrast < 0.1) & (plain.contrast > 0.8)


def test_washout_takes_out_what_waited(market: RegionalMarket) -> None:
    (washed,), (mixed,) = (repeat_design(market, design, 12) for design in ("night", "night, no washout"))
    assert mixed.bias < -market.true_lift / 5
    assert abs(washed.bias) < abs(mixed.bias) / 2


def test_drawn_nights_have_the_expected_matches(market: RegionalMarket) -> None:
    likes = market.plain[0]
    counts = [len(ends) for ends in draw_nights(likes, 400, np.random.default_rng(1))]
    error = np.std(counts) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - compute_expected_matches(likes)) < 4 * error


def test_the_contrast_is_one_without_mixed_matches() -> None:
    assert measure_contrast(np.array([[0, 0], [1, 1], [1, 1]])) == 1.0
    assert measure_contrast(np.array([[0, 1], [1, 1], [0, 0]])) == pytest.approx(1 - 1 / 3 - 1 / 3)
