"""The gate: each check passed and failed on made-up reports, and a report by hand."""

import math

import numpy as np
import pytest

from models.ml.features import Pairs
from models.ml.fitting import HeldOut
from models.ml.gate import LEAK, WORST_CALIBRATION, Report, beats_random, check, report
from models.ml.history import History
from tests.models_ml.conftest import crowd, positions, specification, tally, unknown


def made_up(within: float = 0.7, error: float = 0.02, calibration: float = 0.01, **rivals: float) -> Report:
    best = {"random": 0.5, "popularity": 0.6, "interest_cosine": 0.55} | rivals
    ours = {"within_viewer_auc": within, "within_viewer_auc_error": error, "calibration_error": calibration}
    return {"ranker": ours} | {name: {"within_viewer_auc": value} for name, value in best.items()}


def failed(made: Report) -> list[str]:
    return [each.name for each in check(made) if not each.passed]


@pytest.mark.parametrize(
    ("made", "failures"),
    [
        (made_up(), []),
        (made_up(within=0.6), ["beats_the_baselines"]),
        (made_up(within=0.601), []),
        (made_up(popularity=0.71), ["beats_the_baselines"]),
        (made_up(interest_cosine=0.71), ["beats_the_baselines"]),
        (made_up(random=0.71), ["beats_the_baselines"]),
        (made_up(calibration=WORST_CALIBRATION), []),
        (made_up(calibration=WORST_CALIBRATION + 1e-9), ["is_calibrated"]),
        (made_up(within=LEAK), ["does_not_leak"]),
        (made_up(within=LEAK - 1e-9), []),
        (made_up(within=0.5, calibration=0.2), ["beats_the_baselines", "is_calibrated"]),
        (made_up(within=math.nan), ["beats_the_baselines", "does_not_leak"]),
    ],
)
def test_each_check(made: Report, failures: list[str]) -> None:
    assert failed(made) == failures


def test_checks_say_their_figures() -> None:
    assert [each.sentence for each in check(made_up(interest_cosine=0.65))] == [
        "within-viewer AUC 0.700; the best baseline, interest_cosine, has 0.650",
        "expected calibration error 0.010; at most 0.05 is accepted",
        "within-viewer AUC 0.700; 0.9 or more would be a leak",
    ]


@pytest.mark.parametrize(
    ("within", "error", "answer"),
    [(0.6, 0.049, True), (0.6, 0.051, False), (0.5, 0.0, False), (0.4, 0.01, False), (0.6, math.nan, False)],
)
def test_better_than_chance_is_by_two_standard_errors(within: float, error: float, answer: bool) -> None:
    assert beats_random(made_up(within, error)) is answer


def test_a_report_by_hand() -> None:
    """Person 0 liked 1 and not 2 of the first list, 2 and not 3 of the second."""
    town = crowd(4, specification(interests={"cats": 1.0}), interests=[[1], [1], [0], [1]])
    received = tally([3, 3, 0, 3], [3, 0, 0, 3])
    history = History(unknown(4), unknown(4), unknown(4), received)
    pairs = Pairs(town, positions(0, 0, 0, 0), positions(1, 2, 2, 3), history)
    liked = np.array([True, False, True, False])
    held_out = HeldOut(p_like=np.array([0.8, 0.4, 0.9, 0.2]), p_like_linear=np.array([0.8, 0.4, 0.2, 0.2]))
    found = report(liked, pairs, positions(0, 0, 1, 1), held_out, base_rate=0.5, seed=0)
    within = {name: metrics["within_viewer_auc"] for name, metrics in found.items()}
    del within["random"]
    assert within == {"ranker": 1.0, "ridge": 0.75, "popularity": 0.5, "interest_cosine": 0.5}
    assert found["ranker"]["within_viewer_auc_error"] == 0
    assert found["ridge"]["within_viewer_auc_error"] == pytest.approx(0.25)
    assert found["ranker"]["auc"] == 1.0
    assert found["ranker"]["log_loss"] == pytest.approx(-math.log(0.8 * 0.6 * 0.9 * 0.8) / 4)
    # popularity: 4.5 of 6 where all three liked, 1.5 of 6 where none did, 0.5 where nobody decided
    assert found["popularity"]["log_loss"] == pytest.approx(-math.log(0.75 * 0.75 * 0.5 * 0.25) / 4)
    assert found["popularity"]["auc"] == pytest.approx((1 + 0.5 + 1 + 0) / 4, abs=0.13)
    assert "log_loss" not in found["interest_cosine"]
    assert "calibration_error" not in found["random"]
