"""Lifts and CUPED against known answers and another library."""

import numpy as np
import pandas as pd
import pytest
import tea_tasting as tt
from scipy.stats import norm

from models.experiments.statistics.cluster_ratio import Clusters, estimate_lift, estimate_ratio
from models.experiments.statistics.cuped import adjust_numerators, fill_unknown


def draw_clusters(seed: int, count: int = 4000) -> Clusters:
    """Users of several nights, whose matches follow from last week's."""
    rng = np.random.default_rng(seed)
    arm, nights = rng.integers(0, 2, count), rng.integers(1, 8, count).astype(np.float64)
    rate = rng.gamma(2, 0.2, count)
    numerator = rng.poisson(rate * nights * (1 + 0.1 * arm)).astype(np.float64)
    return Clusters(arm, numerator, nights, rng.poisson(7 * rate) / 7 * nights)


def test_a_mean_has_the_textbook_variance() -> None:
    values = np.array([1.0, 4.0, 2.0, 5.0, 3.0])
    ratio = estimate_ratio(values, np.ones(5))
    assert (ratio.value, ratio.clusters) == (3.0, 5.0)
    assert ratio.variance == pytest.approx(values.var(ddof=1) / 5)


@pytest.mark.parametrize("cuped", [False, True])
def test_lifts_agree_with_tea_tasting(cuped: bool) -> None:
    clusters = draw_clusters(1)
    if not cuped:
        clusters = Clusters(clusters.arm, clusters.numerator, clusters.denominator, clusters.denominator)
    frame = pd.DataFrame(
        {
            "variant": clusters.arm,
            "matches": clusters.numerator,
            "nights": clusters.denominator,
            "expected": clusters.expected,
            "nights_before": clusters.denominator,
        }
    )
    covariate = {"numer_covariate": "expected", "denom_covariate": "nights_before"} if cuped else {}
    metric = tt.RatioOfMeans("matches", "nights", use_t=False, **covariate)
    oracle = tt.Experiment(matches=metric).analyze(frame)["matches"]
    lift = estimate_lift(clusters)
    assert lift is not None
    assert lift.treatment / lift.control - 1 == pytest.approx(oracle.rel_effect_size, abs=0.002)
    ends = np.expm1(lift.log + norm.ppf([0.025, 0.975]) * lift.error)
    oracle_ends = [oracle.rel_effect_size_ci_lower, oracle.rel_effect_size_ci_upper]
    np.testing.assert_allclose(ends, oracle_ends, atol=0.003)


def test_cuped_keeps_the_total_and_narrows_the_interval() -> None:
    clusters = draw_clusters(2)
    adjusted, slopes = adjust_numerators(clusters.arm, clusters.numerator, clusters.denominator, clusters.expected)
    assert slopes == 1
    assert adjusted.sum() == pytest.approx(clusters.numerator.sum())
    plain = estimate_lift(Clusters(clusters.arm, clusters.numerator, clusters.denominator, clusters.denominator))
    lift = estimate_lift(clusters)
    assert plain is not None
    assert lift is not None
    assert lift.error < 0.9 * plain.error


def test_too_little_says_nothing() -> None:
    arm, ones = np.array([0, 0, 1, 1]), np.ones(4)
    assert estimate_lift(Clusters(arm, np.array([0.0, 0, 1, 2]), ones, ones)) is None, "no lift over nothing"
    assert estimate_lift(Clusters(arm, ones, ones, ones)) is None, "nothing varies"
    assert estimate_lift(Clusters(np.array([0, 0, 0, 1]), np.arange(1.0, 5), ones, ones)) is None, "one cluster"


def test_clusters_without_a_last_week_are_as_the_others() -> None:
    filled = fill_unknown(np.array([1.0, np.nan, 4.0]), np.array([1.0, 9.0, 2.0]))
    assert filled.tolist() == [1.0, 3.0, 4.0]
    assert fill_unknown(np.array([np.nan]), np.ones(1)).tolist() == [0.0]
