"""Each metric by each unit: which lifts can be said, and that small arms and broken guardrails are seen."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from models.experiments.statistics.analysis import Effect, analyse_metric, find_alpha, judge_arm
from models.experiments.statistics.confidence_sequence import ALPHA
from models.experiments.statistics.metrics import COUNTED, METRICS
from models.experiments.statistics.verdict import Progress, Verdict

NIGHTS, USERS, REGIONS = 40, 400, 20


def make_experiment(unit: Unit) -> Experiment:
    arms = (ExperimentArm("control", 0.5, {}), ExperimentArm("new", 0.5, {}))
    dates = date(2026, 11, 1), date(2026, 12, 10)
    return Experiment("order", "More.", unit, "lists", 1, arms, *dates, "matches", ("blocks_and_reports",), 0.2)


def make_rows(unit: Unit, *, mixed: float = 0.02, complaints: float = 1.0, users: int = USERS) -> pd.DataFrame:
    """Person-nights in which the new arm has half as much more of all, and blocks by this factor."""
    rng = np.random.default_rng(4)
    night, user = (each.ravel() for each in np.indices((NIGHTS, users)))
    region = user % REGIONS
    keys = {Unit.person: user, Unit.region: region, Unit.night: night}[unit]
    arm = {Unit.person: user % 2, Unit.region: region % 2, Unit.night: night // 4 % 2}[unit]
    counts: dict[str, object] = {name: rng.poisson(0.4 * (1 + 0.5 * arm)) for name in COUNTED}
    counts |= {"people": 1, "lists": 1, "newcomers": user % 3 == 0}
    counts |= {"complaints": rng.poisson(0.1 * complaints**arm)}
    names = {"night": night, "arm": arm, "unit_key": [f"{key:04}" for key in keys], "profile_id": user.astype(str)}
    rows = pd.DataFrame(names | counts).astype(dict.fromkeys(COUNTED, "float64"))
    return rows.assign(mixed_matches=mixed * rows["matches"])


def analyse(unit: Unit, rows: pd.DataFrame) -> dict[str, Effect]:
    experiment = make_experiment(unit)
    return {name: analyse_metric(experiment, rows, NIGHTS, name, {})[0] for name in METRICS}


@pytest.mark.parametrize("unit", Unit)
def test_each_unit_says_what_it_can(unit: Unit) -> None:
    effects = analyse(unit, make_rows(unit))
    aware = {name for name, effect in effects.items() if effect.aware}
    two_sided = {name for name, metric in METRICS.items() if metric.two_sided}
    assert aware == set(METRICS) - (two_sided | {"views_gini"} if unit is Unit.person else set())
    assert effects["matches"].naive[-1].lift.log == pytest.approx(np.log(1.5), abs=0.05)
    assert bool(effects["views_gini"].looks) is (unit is not Unit.person)
    verdict, broken = judge_arm(make_experiment(unit), list(effects.values()), "new", Progress(NIGHTS, NIGHTS))
    assert (verdict, broken) == (Verdict.better, [])


def test_matches_between_arms_are_corrected_or_refused() -> None:
    some = analyse(Unit.region, make_rows(Unit.region, mixed=0.1))["matches"]
    assert some.aware[-1].lift.log == pytest.approx(some.naive[-1].lift.log / 0.8)
    many = analyse(Unit.region, make_rows(Unit.region, mixed=0.4))
    assert not many["matches"].aware
    assert many["likes"].aware, "what one list brings needs no correction"


def test_a_guardrail_stops_what_is_better() -> None:
    effects = analyse(Unit.region, make_rows(Unit.region, complaints=3.0))
    verdict = judge_arm(make_experiment(Unit.region), list(effects.values()), "new", Progress(NIGHTS, NIGHTS))
    assert verdict == (Verdict.worse, ["blocks_and_reports"])


def test_fewer_than_twenty_users_say_nothing() -> None:
    effects = analyse(Unit.person, make_rows(Unit.person, users=38))
    assert not any(effect.looks for effect in effects.values())


def test_all_that_a_verdict_rests_on_misses_with_five_percent_together() -> None:
    two = make_experiment(Unit.person)
    third = ExperimentArm("third", 0.25, {})
    three = replace(two, arms=(*two.arms, third), guardrails=("blocks_and_reports", "short_lists", "matches"))
    for experiment in (two, three, replace(two, guardrails=())):
        rests_on = {experiment.primary, *experiment.guardrails}
        arms = len(experiment.arms) - 1
        assert sum(arms * find_alpha(experiment, name) for name in rests_on) == pytest.approx(ALPHA)
        assert find_alpha(experiment, "likes") == pytest.approx(ALPHA / arms)
