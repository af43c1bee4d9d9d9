"""The users of the benchmark at scale decide as they are said to, its figures add up, and its verdicts are right."""

import numpy as np
import pytest

from models.ml.scoring.candidates import score_both_ways
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.loaders.records import compute_age
from tests.bench.figures import MEASURED
from tests.bench.scale import population as users
from tests.bench.scale.job import Run, Stage
from tests.bench.scale.population import DAYS, PER_USER, decide, population
from tests.bench.scale.retrieving import KEPT, compared, kept
from tests.bench.scale.stages import PREDICTING, rates
from tests.bench.scale.table import BUT_PRODUCT, GROWING, OF_FULL, Town, table
from tests.bench.scale.town import arrays, frames, trained

PEOPLE, RESIDENTS, JOINING = 250, 2_000, 20


@pytest.fixture(scope="module")
def context() -> ScoringContext:
    """Of a small population and a ranker with trees."""
    town = frames(PEOPLE)
    return arrays(trained(town), town)


def test_figures_of_a_population_add_up(context: ScoringContext) -> None:
    figures = compared(context, asked=20, shards=2)
    assert figures["share of the shards"] == 2 / 16
    assert 0.05 < figures["eligible share of the product"] < 1
    ratio = figures["candidates, s"] / figures["bare product, s"]
    assert figures["candidates over bare product"] == pytest.approx(ratio)
    assert figures[KEPT] == 1
    booster = context.ranker.booster
    assert booster is not None
    figures = rates(booster, context)
    assert figures["trees"] >= 1
    fastest = max(rate for name, rate in figures.items() if name.endswith("rows/s"))
    assert figures[PREDICTING] == pytest.approx(figures["compiled trees, rows/s"] / fastest)


def test_kept_is_the_share_of_the_best_that_are_chosen(context: ScoringContext) -> None:
    viewer = int(np.argmax(context.pools.rules.match_preferences(np.arange(PEOPLE)).sum(axis=1)))
    everybody = np.arange(PEOPLE)
    broken = context.pools.rules.find_broken(np.full(PEOPLE, viewer), everybody)
    excluded = context.excluded_pairs[1][context.excluded_pairs[0] == viewer]
    pool = np.setdiff1d(np.flatnonzero((broken == 0) & (everybody != viewer)), excluded)
    scored = score_both_ways(context, np.full(len(pool), viewer), pool)
    chosen = pool[np.argsort(-scored.p_match, kind="stable")[[0, 1, 5, 6]]]
    assert kept(context, np.array([viewer]), (np.full(4, viewer), chosen), best=4, most=5) == 0.5


def test_users_decide_once_on_eligible_users() -> None:
    residents = population(RESIDENTS)
    assert population(RESIDENTS) == residents
    assert len({(each.latitude, each.longitude) for each in residents}) > 0.5 * RESIDENTS
    ages = np.array([compute_age(each.birth_date, users.TODAY) for each in residents])
    assert 28 < ages.mean() < 38
    made = decide(residents, JOINING)
    assert not made.duplicated(["actor", "target"]).any()
    for actor, target in made[["actor", "target"]].to_numpy()[::7]:
        for one, other in ((actor, target), (target, actor)):
            assert residents[other].gender in residents[one].seeks
            assert (residents[one].age_min or 0) <= ages[other] <= (residents[one].age_max or 200)
    newest = made[["actor", "target"]].max(axis=1) >= RESIDENTS - JOINING
    assert newest.any()
    assert (made["day"][newest] >= DAYS).all()
    a_user = (~newest & (made["day"] < DAYS)).sum() / (RESIDENTS - JOINING)
    assert a_user == pytest.approx(1.2 * PER_USER, rel=0.2)
    assert 0.1 < made["liked"].mean() < 0.4
    back = made.merge(made, left_on=["actor", "target"], right_on=["target", "actor"])
    assert len(back) / len(made) == pytest.approx(2 * 0.2 / 1.2, abs=0.1)


def a_run(seconds: float, encoded: float = 0.0) -> Run:
    stages = {name: Stage(seconds / 4, seconds / 3, 900.0) for name in ("profiles", *GROWING)}
    return Run(seconds, 1_000.0, stages, {"answers_encoded": encoded})


def test_growth_and_verdicts_by_hand() -> None:
    bounds = {"bare product, s": 1.0, "share of the shards": 0.25, "candidates over bare product": 1.6}
    small = Town({"people": 1_000.0, "decisions": 2e4}, {"full": a_run(40)}, dict(bounds))
    bounds |= {"bare product, s": 39.0, "encoded a second": 2.0}
    large = Town({"people": 4_000.0, "decisions": 8e4, "answers": 800.0}, {"full": a_run(400)}, bounds)
    large.runs["day"] = a_run(120, encoded=120.0)
    rows = {row["figure"]: row for row in table([small, large])}
    columns = ("1,000 people", MEASURED, "growth", "peak MB", "bar", "")
    expected = {
        "profiles, s": [10, 100, "n^1.66", 900, "", ""],
        BUT_PRODUCT: [26, 144, "n^1.23", "", "<= n^1.2", "does not hold"],
        "full run, s": [40, 400, "n^1.66", "", "<= 900", "holds"],
        "candidates over bare product": [1.6, 1.6, "", "", "<= 1.5", "does not hold"],
        OF_FULL: ["", 0.3, "", "", "<= 0.25", "does not hold"],
        "day: share of one that encodes every answer": ["", 120 / (400 + 800 / 2), "", "", "", ""],
        "day: answers encoded": ["", 120, "", "", "", ""],
    }
    assert {name: [rows[name][column] for column in columns] for name in expected} == expected
