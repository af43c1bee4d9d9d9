"""The gate: each check passed and failed alone on made-up reports, and a report by hand."""

import math

import numpy as np
import pytest

from models.ml.validation.gate import (
    AUC_TOLERANCE,
    CHAMPION_COMPARISON,
    LIKE_LEAK,
    LOSS_TOLERANCE,
    MATCH_LEAK,
    MAX_CALIBRATION_ERROR,
    GateReport,
    build_report,
    check_report,
    exceeds_random,
)
from models.ml.validation.history_masking import MaskedSplit
from models.ml.validation.holdout import HoldoutSet
from tests.models_ml.conftest import crowd, events, positions, specification

Metrics = dict[str, dict[str, float]]
NAMES = [
    "beats_the_baselines",
    "is_no_worse_than_linear",
    "is_no_worse_than_the_champion",
    "is_calibrated",
    "does_not_leak",
]
EDGE = 1e-9


def made_up() -> Metrics:
    """A ranker that passes everything, and does exactly what its rivals do; beside the champion it does the same."""
    reached = {"within_viewer_auc": 0.7, "log_loss": 0.6}
    ours = {"within_viewer_auc_error": 0.02, "calibration_error": 0.01}
    ours |= {"cold_like_auc": 0.6, "cold_like_auc_error": 0.01, "cold_match_auc": 0.58, "cold_match_auc_error": 0.02}
    ours |= reached
    simple = {"random": 0.5, "popularity": 0.6, "interest_cosine": 0.55}
    return {
        "ranker": ours,
        "ridge": dict(reached),
        "champion": dict(reached),
        CHAMPION_COMPARISON: ours,
        **{name: {"within_viewer_auc": value} for name, value in simple.items()},
    }


def changed(**values: float) -> GateReport:
    """Made up, but for metrics of a method: `ranker__log_loss`."""
    report = made_up()
    for name, value in values.items():
        method, metric = name.split("__")
        report[method][metric] = value
    return report


def failed(made: GateReport) -> list[str]:
    return [each.name for each in check_report(made) if not each.passed]


def test_there_are_five_checks_and_each_may_pass() -> None:
    assert [each.name for each in check_report(made_up())] == NAMES
    assert failed(made_up()) == []


@pytest.mark.parametrize(
    ("values", "failures"),
    [
        ({"popularity__within_viewer_auc": 0.7}, ["beats_the_baselines"]),
        ({"popularity__within_viewer_auc": 0.7 - EDGE}, []),
        ({"interest_cosine__within_viewer_auc": 0.71}, ["beats_the_baselines"]),
        ({"random__within_viewer_auc": 0.71}, ["beats_the_baselines"]),
        ({"ridge__within_viewer_auc": 0.7 + AUC_TOLERANCE - EDGE}, []),
        ({"ridge__within_viewer_auc": 0.7 + AUC_TOLERANCE + EDGE}, ["is_no_worse_than_linear"]),
        ({"ridge__log_loss": 0.6 - LOSS_TOLERANCE + EDGE}, []),
        ({"ridge__log_loss": 0.6 - LOSS_TOLERANCE - EDGE}, ["is_no_worse_than_linear"]),
        ({"ridge__within_viewer_auc": 0.1, "ridge__log_loss": 9.0}, []),
        ({"champion__within_viewer_auc": 0.7 + AUC_TOLERANCE - EDGE}, []),
        ({"champion__within_viewer_auc": 0.7 + AUC_TOLERANCE + EDGE}, ["is_no_worse_than_the_champion"]),
        ({"champion__log_loss": 0.6 - LOSS_TOLERANCE + EDGE}, []),
        ({"champion__log_loss": 0.6 - LOSS_TOLERANCE - EDGE}, ["is_no_worse_than_the_champion"]),
        ({"ranker__calibration_error": MAX_CALIBRATION_ERROR}, []),
        ({"ranker__calibration_error": MAX_CALIBRATION_ERROR + EDGE}, ["is_calibrated"]),
        # By chance alone an AUC may be one standard error above the truth.
        ({"ranker__cold_like_auc": LIKE_LEAK + 0.01 - EDGE}, []),
        ({"ranker__cold_like_auc": LIKE_LEAK + 0.01 + EDGE}, ["does_not_leak"]),
        ({"ranker__cold_match_auc": MATCH_LEAK + 0.02 - EDGE}, []),
        ({"ranker__cold_match_auc": MATCH_LEAK + 0.02 + EDGE}, ["does_not_leak"]),
        # What is known of people's likes may tell more than that.
        ({"ranker__within_viewer_auc": 0.95}, []),
        ({"ranker__within_viewer_auc": 0.5, "ranker__log_loss": 0.7}, NAMES[:3]),
    ],
)
def test_each_check(values: dict[str, float], failures: list[str]) -> None:
    assert failed(changed(**values)) == failures


@pytest.mark.parametrize(
    ("metric", "failures"),
    [
        ("within_viewer_auc", NAMES[:3]),
        ("log_loss", NAMES[1:3]),
        ("calibration_error", ["is_calibrated"]),
        ("cold_like_auc", []),
        ("cold_match_auc", []),
    ],
)
def test_what_cannot_be_told_is_not_good_enough_but_is_no_leak_either(metric: str, failures: list[str]) -> None:
    """No viewer of whom nothing is known may have both kinds of candidates: that alone raises no alarm."""
    assert failed(changed(**{f"ranker__{metric}": math.nan})) == failures


def test_the_champion_is_compared_where_both_were_asked() -> None:
    made = made_up()
    made[CHAMPION_COMPARISON] = {"within_viewer_auc": 0.6, "log_loss": 0.7}
    assert failed(made) == ["is_no_worse_than_the_champion"]
    made["champion"] = {"within_viewer_auc": 0.6, "log_loss": 0.7}
    assert failed(made) == []


def test_where_there_is_no_champion_yet_there_is_none_to_be_worse_than() -> None:
    first = made_up()
    del first["champion"]
    assert failed(first) == []
    assert check_report(first)[2].sentence == "there is nothing yet to compare with the champion"


def test_checks_say_their_figures() -> None:
    made = changed(interest_cosine__within_viewer_auc=0.65, champion__log_loss=0.5)
    beats, linear, champion, calibrated, leaks = (each.sentence for each in check_report(made))
    assert beats == "within-viewer AUC 0.700; the best baseline, interest cosine, has 0.650"
    assert linear == (
        "within-viewer AUC 0.700, its own linear start 0.700 (at most 0.005 below is accepted); "
        "log loss 0.600 and 0.600 (at most 0.002 above)"
    )
    assert champion == (
        "within-viewer AUC 0.700, the champion 0.700 (at most 0.005 below is accepted); "
        "log loss 0.600 and 0.500 (at most 0.002 above)"
    )
    assert calibrated == "expected calibration error 0.010; at most 0.05 is accepted"
    assert leaks == (
        "from profiles alone, within-viewer AUC of likes 0.600 (over 0.7 would be a leak), of matches 0.580 (over 0.68)"
    )


@pytest.mark.parametrize(
    ("within", "error", "answer"),
    [(0.6, 0.049, True), (0.6, 0.051, False), (0.5, 0.0, False), (0.4, 0.01, False), (0.6, math.nan, False)],
)
def test_better_than_chance_is_by_two_standard_errors(within: float, error: float, answer: bool) -> None:
    assert exceeds_random(changed(ranker__within_viewer_auc=within, ranker__within_viewer_auc_error=error)) is answer


# 0 likes 1 and 3 and not 2; all but 3 like 0.
MET = events((0, 1, True, 0), (0, 2, False, 0), (0, 3, True, 0), (1, 0, True, 0), (2, 0, True, 0), (3, 0, False, 0))
EXAM = HoldoutSet(
    MET,
    np.zeros(6, np.int64),
    [MaskedSplit(0, positions(), np.arange(6)), MaskedSplit(None, positions(4, 5), positions(0, 1, 2))],
)


@pytest.fixture(scope="module")
def found() -> GateReport:
    """Cold, the ranker puts 1 before 3 before 2; knowing what 2 and 3 decided it puts 2 first."""
    town = crowd(4, specification(interests={"cats": 1.0}), interests=[[1], [1], [0], [1]])
    sure = np.array([0.8, 0.4, 0.6, 0.5, 0.9, 0.2, 0.7, 0.75, 0.25])
    return build_report(EXAM, EXAM.build_pairs(town), {"ranker": sure, "ridge": np.full(9, 0.5)}, seed=0)


def test_a_report_by_hand(found: GateReport) -> None:
    """Only person 0 has both kinds, in a list of 3 in each draw."""
    within = {name: metrics["within_viewer_auc"] for name, metrics in found.items()}
    del within["random"]
    # Interests: 1 and 3 before 2. Popularity knows nothing of them, cold or warm.
    assert within == {"ranker": 0.5, "ridge": 0.5, "popularity": 0.5, "interest_cosine": 1.0}
    assert math.isnan(found["ranker"]["within_viewer_auc_error"])  # of a single viewer
    likes, passes = [0.8, 0.6, 0.5, 0.9, 0.7, 0.25], [0.4, 0.2, 0.75]
    assert found["ranker"]["auc"] == pytest.approx(np.mean([like > other for like in likes for other in passes]))
    chances = [*likes, *(1 - chance for chance in passes)]
    assert found["ranker"]["log_loss"] == pytest.approx(-np.mean(np.log(chances)))
    assert found["ridge"]["log_loss"] == pytest.approx(math.log(2))
    assert found["ridge"]["calibration_error"] == pytest.approx(abs(6 / 9 - 0.5))
    assert "log_loss" not in found["interest_cosine"]
    assert "calibration_error" not in found["random"]
    assert "cold_like_auc" not in found["popularity"]


def test_cold_figures_are_of_those_of_whom_nothing_is_known(found: GateReport) -> None:
    """0 and 1 match, 0 and 2 do not, nor do 0 and 3, by products 0.40, 0.36 and 0.12."""
    ours = found["ranker"]
    assert (ours["cold_like_auc"], ours["cold_match_auc"]) == (1.0, 1.0)
    assert math.isnan(ours["cold_like_auc_error"])  # of a single viewer
    assert (found["ridge"]["cold_like_auc"], found["ridge"]["cold_match_auc"]) == (0.5, 0.5)


def test_errors_are_clustered_by_viewer_and_by_candidate() -> None:
    """What 0 and 1 say of 2 and 3, asked three times: cold it is as sure, or as little, as when it is asked once."""
    met = events((0, 2, True, 0), (0, 3, False, 0), (1, 2, False, 0), (1, 3, True, 0))
    holdout = HoldoutSet(met, np.zeros(4, np.int64), [MaskedSplit(0, positions(), np.arange(4)) for _ in range(3)])
    p_like = np.tile([0.9, 0.1, 0.8, 0.3], 3)
    ours = build_report(holdout, holdout.build_pairs(crowd(4, specification())), {"ranker": p_like}, seed=0)["ranker"]
    assert (ours["within_viewer_auc"], ours["cold_like_auc"]) == (0.5, 0.5)
    # By viewer: 1 and 0, a quarter from 0.5 in the mean. By candidate: as often right about 2 as wrong, and so for 3.
    assert ours["within_viewer_auc_error"] == pytest.approx(math.sqrt(2 * (0.25**2 + 0.25**2)))
    assert ours["cold_like_auc_error"] == ours["within_viewer_auc_error"]


def test_a_match_counts_only_where_both_directions_are_asked_for() -> None:
    """Nobody is asked whether they like 0: then there is no match to be right about."""
    holdout = HoldoutSet(MET, EXAM.fold, [MaskedSplit(0, positions(), positions(0, 1, 2))])
    town = crowd(4, specification())
    found = build_report(holdout, holdout.build_pairs(town), {"ranker": np.array([0.8, 0.4, 0.6])}, seed=0)["ranker"]
    assert found["cold_like_auc"] == 1.0
    assert math.isnan(found["cold_match_auc"])
