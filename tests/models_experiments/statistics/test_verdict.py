"""What to do: known cases, and that the answer turns with the interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.experiments.statistics.confidence_sequence import SequenceInterval, compute_interval
from models.experiments.statistics.sample_ratio import compute_ratio_p_value, has_wrong_ratio
from models.experiments.statistics.verdict import Progress, Verdict, decide_verdict, forecast_half_width

HALVES = np.array([0.5, 0.5])


def decide(estimate: float, error: float, nights: int, effect: float = 0.1) -> Verdict:
    interval = compute_interval(estimate, error, np.inf, float(np.log1p(effect)))
    return decide_verdict(interval, effect, Progress(nights, 30))


@pytest.mark.parametrize(
    ("estimate", "error", "nights", "verdict"),
    [
        (0.2, 0.03, 10, Verdict.better),
        (-0.2, 0.03, 10, Verdict.worse),
        (0.0, 0.02, 10, Verdict.alike),
        (0.02, 0.05, 10, Verdict.keep_running),
        (0.02, 0.5, 10, Verdict.cannot_tell),
        (0.02, 0.05, 30, Verdict.cannot_tell),
        (0.2, 0.03, 30, Verdict.better),
    ],
)
def test_known_cases(estimate: float, error: float, nights: int, verdict: Verdict) -> None:
    assert decide(estimate, error, nights) is verdict


def test_without_an_interval_it_runs_to_its_end() -> None:
    assert decide_verdict(None, 0.1, Progress(3, 30)) is Verdict.keep_running
    assert decide_verdict(None, 0.1, Progress(30, 30)) is Verdict.cannot_tell


@given(st.floats(-1, 1), st.floats(0.001, 1), st.integers(1, 40))
def test_the_verdict_turns_with_the_interval(estimate: float, error: float, nights: int) -> None:
    turned = {Verdict.better: Verdict.worse, Verdict.worse: Verdict.better}
    verdict = decide(estimate, error, nights)
    assert decide(-estimate, error, nights) is turned.get(verdict, verdict)


def test_the_forecast_is_the_interval_of_more_nights() -> None:
    now, later = (compute_interval(0, error, np.inf, 0.1) for error in (0.06, 0.03))
    assert forecast_half_width(now, 0.1, Progress(5, 20)) == pytest.approx(later.half_width)
    assert forecast_half_width(SequenceInterval(0, -1, 1), 0.1, Progress(9, 9)) == pytest.approx(1.0)


def test_a_split_of_52_to_48_is_caught() -> None:
    assert has_wrong_ratio(np.array([5200, 4800]), HALVES)
    assert not has_wrong_ratio(np.array([5050, 4950]), HALVES)
    assert compute_ratio_p_value(np.array([5, 3]), HALVES) is None, "too few to say"
    rng = np.random.default_rng(1)
    alarms = sum(has_wrong_ratio(rng.multinomial(10_000, [0.9, 0.1]), np.array([0.9, 0.1])) for _ in range(2000))
    assert alarms < 12
