"""The boundary against its definition, and its coverage over many looks."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, t

from models.experiments.statistics.confidence_sequence import compute_boundary, compute_interval, tune_rho


@pytest.mark.parametrize("target", [0.01, 0.3])
def test_the_sequence_is_narrowest_for_its_target(target: float) -> None:
    """At the information where the half width is the target, no other rho gives a narrower interval."""
    information = brentq(lambda known: compute_boundary(known, target) / np.sqrt(known) - target, 1e-3, 1e9)
    others = [compute_boundary(information, target * factor) for factor in (0.3, 0.6, 1.7, 3.0)]
    assert compute_boundary(information, target) < min(others)
    assert tune_rho(target) == pytest.approx(tune_rho(1.0) * target)


def test_all_looks_together_miss_the_truth_rarely() -> None:
    rng, looks = np.random.default_rng(1), np.arange(1, 2001)
    estimates = rng.standard_normal((1000, 2000)).cumsum(axis=1) / looks
    widths = np.array([compute_boundary(float(look), 0.1) for look in looks]) / np.sqrt(looks)
    missed = (np.abs(estimates) > widths).any(axis=1).mean()
    assert 0.005 < missed < 0.05
    assert (np.abs(estimates) > norm.ppf(0.975) / np.sqrt(looks)).any(axis=1).mean() > 0.3, "the usual one misses often"


def test_few_clusters_have_the_quantile_of_students_t() -> None:
    many, few = compute_boundary(400, 0.2), compute_boundary(400, 0.2, degrees=4)
    assert t.sf(few, 4) == pytest.approx(norm.sf(many))
    interval = compute_interval(0.1, 0.05, 4, 0.2)
    assert (interval.low + interval.high) / 2 == pytest.approx(0.1)
    assert interval.half_width == pytest.approx(few * 0.05)


@pytest.mark.parametrize("degrees", [3.0, 4.5, 10.0, 38.0, np.inf])
def test_an_uncertain_estimate_has_a_wide_interval(degrees: float) -> None:
    """Also where the tail of the normal distribution is smaller than any number."""
    widths = [compute_interval(0.0, error, degrees, 0.03).half_width for error in np.geomspace(1e-3, 3, 500)]
    assert np.isfinite(widths).all()
    assert (np.diff(widths) >= 0).all()
    assert widths[0] < 0.1 < widths[-1]
