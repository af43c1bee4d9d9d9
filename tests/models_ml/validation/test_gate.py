"""The gate: each check passed and failed alone on made-up reports, and a report by hand."""

import math
import re

import numpy as np
import pytest

from models.ml.validation import gate
from models.ml.validation.gate_rules import RELATIONS
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
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
RULE = re.compile(rf"({NUMBER})(?: ± {NUMBER})? \((above|at least|at most) ({NUMBER}) is required: (?:not )?met\)")


def made_up(**values: float) -> Metrics:
    """A ranker that passes everything and is exactly as good as its rivals, but for `ranker__log_loss` and so on."""
    reached = {"within_viewer_auc": 0.7, "log_loss": 0.6}
    ours = {"within_viewer_auc_error": 0.02, "calibration_error": 0.01}
    ours |= {"cold_like_auc": 0.6, "cold_like_auc_error": 0.01, "cold_match_auc": 0.58, "cold_match_auc_error": 0.02}
    ours |= reached
    report = {"ranker": ours, "ridge": dict(reached), "champion": dict(reached), gate.CHAMPION_COMPARISON: ours}
    report |= {name: {"within_viewer_auc": 0.55} for name in ("random", "popularity", "interest_cosine")}
    for name, value in values.items():
        method, metric = name.split("__")
        report[method][metric] = value
    return report


def failed(report: Metrics) -> list[str]:
    return [each.name for each in gate.check_report(report) if not each.passed]


@pytest.mark.parametrize(
    ("values", "failures"),
    [
        ({}, []),
        ({"popularity__within_viewer_auc": 0.7 - EDGE}, []),
        ({"popularity__within_viewer_auc": 0.7}, ["beats_the_baselines"]),
        ({"interest_cosine__within_viewer_auc": 0.71}, ["beats_the_baselines"]),
        ({"random__within_viewer_auc": 0.71}, ["beats_the_baselines"]),
        ({"ridge__within_viewer_auc": 0.7 + gate.AUC_TOLERANCE - EDGE}, []),
        ({"ridge__within_viewer_auc": 0.7 + gate.AUC_TOLERANCE + EDGE}, ["is_no_worse_than_linear"]),
        ({"ridge__log_loss": 0.6 - gate.LOSS_TOLERANCE + EDGE}, []),
        ({"ridge__log_loss": 0.6 - gate.LOSS_TOLERANCE - EDGE}, ["is_no_worse_than_linear"]),
        ({"champion__within_viewer_auc": 0.7 + gate.AUC_TOLERANCE - EDGE}, []),
        ({"champion__within_viewer_auc": 0.7 + gate.AUC_TOLERANCE + EDGE}, ["is_no_worse_than_the_champion"]),
        ({"champion__log_loss": 0.6 - gate.LOSS_TOLERANCE + EDGE}, []),
        ({"champion__log_loss": 0.6 - gate.LOSS_TOLERANCE - EDGE}, ["is_no_worse_than_the_champion"]),
        ({"ranker__calibration_error": gate.MAX_CALIBRATION_ERROR}, []),
        ({"ranker__calibration_error": gate.MAX_CALIBRATION_ERROR + EDGE}, ["is_calibrated"]),
        # By chance alone an AUC may be one standard error above the truth.
        ({"ranker__cold_like_auc": gate.LIKE_LEAK + 0.01 - EDGE}, []),
        ({"ranker__cold_like_auc": gate.LIKE_LEAK + 0.01 + EDGE}, ["does_not_leak"]),
        ({"ranker__cold_match_auc": gate.MATCH_LEAK + 0.02 - EDGE}, []),
        ({"ranker__cold_match_auc": gate.MATCH_LEAK + 0.02 + EDGE}, ["does_not_leak"]),
        # History may tell more than that.
        ({"ranker__within_viewer_auc": 0.95}, []),
        ({"ranker__within_viewer_auc": 0.5, "ranker__log_loss": 0.7}, NAMES[:3]),
        # What is not known is not good enough, but is no leak either.
        ({"ranker__within_viewer_auc": math.nan}, NAMES[:3]),
        ({"ranker__log_loss": math.nan}, NAMES[1:3]),
        ({"ranker__calibration_error": math.nan}, ["is_calibrated"]),
        ({"ranker__cold_like_auc": math.nan, "ranker__cold_match_auc": math.nan}, []),
    ],
)
def test_each_check(values: dict[str, float], failures: list[str]) -> None:
    assert failed(made_up(**values)) == failures


def test_the_champion_is_compared_on_its_own_samples() -> None:
    """Without a champion there is none to be worse than."""
    report = made_up()
    assert [each.name for each in gate.check_report(report)] == NAMES
    report[gate.CHAMPION_COMPARISON] = {"within_viewer_auc": 0.6, "log_loss": 0.7}
    assert failed(report) == ["is_no_worse_than_the_champion"]
    report["champion"] = {"within_viewer_auc": 0.6, "log_loss": 0.7}
    assert failed(report) == []
    del report["champion"], report[gate.CHAMPION_COMPARISON]
    assert failed(report) == []


def decide_by_sentence(sentence: str) -> set[bool]:
    """What a reader concludes from the figures of a sentence alone, for each rule that it says is judged."""
    found = set()
    for value, relation, bound in RULE.findall(sentence):
        figure, limit = float(value), float(bound)
        found.add({"above": figure > limit, "at least": figure >= limit, "at most": figure <= limit}[relation])
    return found


DIFFERENCE = {
    "within_viewer_auc": -0.01,
    "within_viewer_auc_error": 0.0031,
    "log_loss": -0.004,
    "log_loss_error": 0.0012,
}
BETTER_LOSS = {"champion__log_loss": 0.604, "champion__within_viewer_auc": 0.71}


@pytest.mark.parametrize(
    ("values", "name", "state", "said"),
    [
        # Above its bound, but not by more than its standard error.
        (
            {"ranker__cold_match_auc": 0.699},
            "does_not_leak",
            "passed",
            ["0.6990 ± 0.0200", "less one standard error 0.6790", "at most 0.68"],
        ),
        # The better log loss does not make up for the ranking.
        (
            BETTER_LOSS,
            "is_no_worse_than_the_champion",
            "failed",
            ["0.7000 ± 0.0200", "0.7100", "-0.0100 ± 0.0031", "at least -0.005", "-0.0040 ± 0.0012", "at most 0.002"],
        ),
        ({"popularity__within_viewer_auc": 0.7 - EDGE}, "beats_the_baselines", "passed", ["popularity", "above 0"]),
        ({"ranker__calibration_error": 0.05 + EDGE}, "is_calibrated", "failed", ["0.050000001", "at most 0.05"]),
        # What is not known is neither met nor failed.
        (
            {"ranker__cold_match_auc": math.nan},
            "does_not_leak",
            "not judged",
            ["0.5900", "needs two viewers whose mutual decisions"],
        ),
        ({"ranker__log_loss": math.nan}, "is_no_worse_than_linear", "not judged", ["log loss not known"]),
    ],
)
def test_a_decision_follows_from_what_is_said(values: dict[str, float], name: str, state: str, said: list[str]) -> None:
    report = made_up(**values)
    report["ranker_minus_champion"] = DIFFERENCE
    (check,) = [each for each in gate.check_report(report) if each.name == name]
    assert check.state == state
    assert [each for each in said if each not in check.sentence] == []
    concluded = decide_by_sentence(check.sentence)
    assert (False in concluded) is (state == "failed")
    for rule in check.rules:  # the numbers that Dagster plots are those of the sentence
        assert (rule.name in check.figures) is rule.is_known
        if rule.is_known:
            bound = check.figures[f"{rule.name}_bound"]
            assert RELATIONS[rule.relation](check.figures[rule.name], bound) is rule.is_met
    assert all(math.isfinite(value) for value in check.figures.values())


def test_without_a_comparison_the_check_is_not_judged() -> None:
    """It says whether there is no champion, or one that has seen too much; neither is in the way."""
    report = made_up()
    del report["champion"], report[gate.CHAMPION_COMPARISON]
    *_, champion, _, _ = gate.check_report(report)
    assert (champion.state, champion.passed, champion.figures) == ("not judged", True, {})
    assert "nothing yet to compare" in champion.sentence
    report[gate.UNSEEN] = {"likes": 19, "passes": 31}
    *_, champion, _, _ = gate.check_report(report)
    assert (champion.state, champion.passed) == ("not judged", True)
    assert "seen too many" in champion.sentence
    assert "unseen likes 19 (at least 20 is required: not met)" in champion.sentence
    assert champion.figures["unseen_passes"] == 31


@pytest.mark.parametrize(
    ("within", "error", "answer"),
    [(0.6, 0.049, True), (0.6, 0.051, False), (0.5, 0.0, False), (0.4, 0.01, False), (0.6, math.nan, False)],
)
def test_better_than_random_is_by_two_standard_errors(within: float, error: float, answer: bool) -> None:
    report = made_up(ranker__within_viewer_auc=within, ranker__within_viewer_auc_error=error)
    assert gate.bound_learning(report, slope=1)[0].is_met is answer


# 0 likes 1 and 3 and not 2; all but 3 like 0.
MET = events((0, 1, True, 0), (0, 2, False, 0), (0, 3, True, 0), (1, 0, True, 0), (2, 0, True, 0), (3, 0, False, 0))


def test_a_report_by_hand() -> None:
    """Cold, the ranker puts 1 before 3 before 2; with what 2 and 3 decided it puts 2 first. Only 0 has both kinds."""
    splits = [MaskedSplit(0, positions(), np.arange(6)), MaskedSplit(None, positions(4, 5), positions(0, 1, 2))]
    holdout = HoldoutSet(MET, np.zeros(6, np.int64), splits)
    town = crowd(4, specification(interests={"cats": 1.0}), interests=[[1], [1], [0], [1]])
    sure = np.array([0.8, 0.4, 0.6, 0.5, 0.9, 0.2, 0.7, 0.75, 0.25])
    found = gate.build_report(holdout, holdout.build_pairs(town), {"ranker": sure, "ridge": np.full(9, 0.5)}, seed=0)
    within = {name: metrics["within_viewer_auc"] for name, metrics in found.items() if name != "random"}
    # Interests: 1 and 3 before 2. Popularity knows nothing of them.
    assert within == {"ranker": 0.5, "ridge": 0.5, "popularity": 0.5, "interest_cosine": 1.0}
    ours, ridge = found["ranker"], found["ridge"]
    assert math.isnan(ours["within_viewer_auc_error"])  # of a single viewer
    likes, passes = [0.8, 0.6, 0.5, 0.9, 0.7, 0.25], [0.4, 0.2, 0.75]
    assert ours["auc"] == pytest.approx(np.mean([like > other for like in likes for other in passes]))
    assert ours["log_loss"] == pytest.approx(-np.mean(np.log([*likes, *(1 - other for other in passes)])))
    assert ridge["log_loss"] == pytest.approx(math.log(2))
    assert ridge["calibration_error"] == pytest.approx(abs(6 / 9 - 0.5))
    assert not {"log_loss", "calibration_error"} & (found["interest_cosine"].keys() | found["random"].keys())
    # 0 and 1 match, 0 and 2 do not, nor do 0 and 3, by products 0.40, 0.36 and 0.12.
    assert (ours["cold_like_auc"], ours["cold_match_auc"]) == (1.0, 1.0)
    assert (ridge["cold_like_auc"], ridge["cold_match_auc"]) == (0.5, 0.5)


def test_errors_are_clustered_by_viewer_and_by_candidate() -> None:
    """What 0 and 1 say of 2 and 3, asked three times, is as sure as when it is asked once."""
    met = events((0, 2, True, 0), (0, 3, False, 0), (1, 2, False, 0), (1, 3, True, 0))
    holdout = HoldoutSet(met, np.zeros(4, np.int64), [MaskedSplit(0, positions(), np.arange(4)) for _ in range(3)])
    p_like = np.tile([0.9, 0.1, 0.8, 0.3], 3)
    ours = gate.build_report(holdout, holdout.build_pairs(crowd(4, specification())), {"ranker": p_like}, seed=0)[
        "ranker"
    ]
    assert (ours["within_viewer_auc"], ours["cold_like_auc"]) == (0.5, 0.5)
    # By viewer: 1 and 0, a quarter from 0.5 in the mean. By candidate: as often right about 2 as wrong, and so for 3.
    assert ours["within_viewer_auc_error"] == pytest.approx(math.sqrt(2 * (0.25**2 + 0.25**2)))
    assert ours["cold_like_auc_error"] == ours["within_viewer_auc_error"]


def test_a_match_needs_both_directions() -> None:
    """Nobody is asked whether they like 0: then there is no match to be right about."""
    holdout = HoldoutSet(MET, np.zeros(6, np.int64), [MaskedSplit(0, positions(), positions(0, 1, 2))])
    pairs, p_like = holdout.build_pairs(crowd(4, specification())), np.array([0.8, 0.4, 0.6])
    found = gate.build_report(holdout, pairs, {"ranker": p_like}, seed=0)["ranker"]
    assert found["cold_like_auc"] == 1.0
    assert math.isnan(found["cold_match_auc"])
