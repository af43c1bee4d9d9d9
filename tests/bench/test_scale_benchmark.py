"""The benchmark at scale: its towns are what they are said to be, its figures add up, its verdicts are right."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from models.db import embedded
from models.ml.eligibility.rules import find_eligible
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.profiles.geography import compute_distance_km
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring import candidates as module
from models.ml.scoring.retrieval import RetrievalVectors, build_retrieval_vectors
from pipelines.loaders.records import Person, compute_age
from tests.bench.figures import MEASURED, markdown
from tests.bench.scale import deciding, job, people
from tests.bench.scale import matching as bench
from tests.bench.scale.deciding import DAYS, PER_PERSON, decisions
from tests.bench.scale.founding import found, next_day, stand_ins
from tests.bench.scale.matching import compared, kept
from tests.bench.scale.people import population
from tests.bench.scale.predicting import rates
from tests.bench.scale.publishing import SHARE, publishing
from tests.bench.scale.table import BUT_PRODUCT, GROWING, OF_FULL, Town, table
from tests.bench.scale.town import Frames, arrays, frames, trained, trees_of

PEOPLE, RESIDENTS, JOINING = 400, 2_000, 20


@pytest.fixture(scope="module")
def town() -> Frames:
    return frames(PEOPLE)


@pytest.fixture(scope="module")
def unlearned(town: Frames) -> Ranker:
    spec = fit_feature_spec(town.profiles, town.answers, sensitive=False)
    return build_prior(spec, [name for name, _ in list_feature_groups(spec)], np.zeros(0, bool))


def test_what_is_kept_is_all_by_a_ranker_without_trees_and_by_chance_what_chance_keeps(
    town: Frames, unlearned: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (module, bench):
        monkeypatch.setattr(place, "MAX_CANDIDATES", 10)
    monkeypatch.setattr(bench, "BEST", 3)
    made = arrays(unlearned, town)
    assert kept(made, build_retrieval_vectors(made), 200) > 0.9
    nothing = np.zeros((PEOPLE, 1), np.float32)
    open_ = find_eligible(made.pools.rules, np.arange(PEOPLE))
    open_[made.excluded_pairs] = False
    sizes = open_.sum(axis=1)
    by_chance = np.mean(10 / sizes[sizes > 10])
    assert kept(made, RetrievalVectors(nothing, nothing), PEOPLE) == pytest.approx(by_chance, abs=0.05)


def test_figures_of_a_town(unlearned: Ranker, town: Frames) -> None:
    figures = compared(arrays(unlearned, town), asked=20, shards=2)
    assert figures["share of the shards"] == 2 / 16
    assert 0.05 < figures["eligible share of the product"] < 1
    assert figures["candidates over bare product"] == pytest.approx(
        figures["candidates, s"] / figures["bare product, s"]
    )
    assert figures["kept of the ranker's 50"] == 1


def test_rates_of_a_ranker_with_trees(town: Frames) -> None:
    judge = trained(Frames(town.profiles, town.answers, town.interactions.sample(2_500, random_state=1)))
    figures = rates(trees_of(judge), arrays(judge, town))
    assert figures["trees"] >= 1
    shares = [figures["compiled trees, rows/s"] / rate for name, rate in figures.items() if name.endswith("rows/s")]
    assert figures["compiled trees over the fastest runtime"] == pytest.approx(min(shares))


@pytest.fixture(scope="module")
def residents() -> list[Person]:
    return population(RESIDENTS)


def suit(one: Person, other: Person) -> bool:
    years = compute_age(other.birth_date, people.TODAY)
    away = compute_distance_km(*(np.array([each.latitude, each.longitude], np.float64) for each in (one, other)))
    near = bool(away <= (one.max_distance_km or np.inf))
    return near and other.gender in one.seeks and (one.age_min or 0) <= years <= (one.age_max or 200)


def test_people_decide_on_those_who_are_eligible_for_them_and_on_nobody_twice(residents: list[Person]) -> None:
    made = decisions(residents, JOINING)
    pairs = list(zip(made.actor.tolist(), made.target.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert all(suit(residents[a], residents[t]) and suit(residents[t], residents[a]) for a, t in pairs[::7])
    newest = np.maximum(made.actor, made.target) >= RESIDENTS - JOINING
    assert newest.any()
    assert (made.day[newest] >= DAYS).all()
    assert (~newest & (made.day < DAYS)).sum() / (RESIDENTS - JOINING) == pytest.approx(1.2 * PER_PERSON, rel=0.2)
    assert 0.1 < made.liked.mean() < 0.4
    ways = set(pairs)
    assert np.mean([(target, actor) in ways for actor, target in pairs]) == pytest.approx(2 * 0.2 / 1.2, abs=0.1)


def test_people_are_the_same_each_time_as_old_as_in_the_file_and_spread_over_the_town(residents: list[Person]) -> None:
    assert population(RESIDENTS) == residents
    ages = np.array([compute_age(each.birth_date, people.TODAY) for each in residents])
    assert 28 < ages.mean() < 38
    assert len({(each.latitude, each.longitude) for each in residents}) > 0.5 * RESIDENTS


def test_like_texts_get_like_vectors() -> None:
    one, near, far = stand_ins(["I am single. I drink socially.", "I am single. I drink often.", "Pets: has cats."])
    np.testing.assert_allclose([one @ one, near @ near, far @ far], 1, rtol=1e-6)
    assert one @ near > 0.5 > one @ far


def test_a_run_is_measured_stage_by_stage_and_a_day_later_encodes_only_what_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With so few decisions that the ranker is the prior, which takes no time."""
    monkeypatch.setattr(deciding, "PER_PERSON", 0.3)
    monkeypatch.setenv("DAGSTER_HOME", "is set anew")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            founded = found(home, 200)
            assert (founded["people"], founded["answers"]) == (198, 198)
            first = job.job(home)
            assert (first.counts["answers_encoded"], first.counts["shards_kept"]) == (0, 0)
            changed = next_day(home, 200)
            later = job._job(home)
            publication = publishing(home)
        finally:
            embedded.stop(home)
    assert 0 < first.stages["scored_candidates"].seconds < sum(each.seconds for each in first.stages.values())
    assert first.seconds > sum(each.seconds for each in first.stages.values()) > 0
    # The kernel counts the highest peak a little late.
    assert all(100 < each.peak_mb <= 1.05 * first.peak_mb for each in first.stages.values())
    assert 0 < first.processor_seconds < 4 * first.seconds
    assert (changed["joined"], changed["edited"]) == (2, 4)
    assert later.counts["answers_encoded"] == 6
    assert publication["pairs"] == later.counts["pairs"]
    assert publication[SHARE] == pytest.approx(publication["bare COPY, s"] / publication["publication, s"])


def run(seconds: float, encoded: float = 0.0) -> job.Run:
    stages = {name: job.Stage(seconds / 4, seconds / 3, 900.0) for name in ("profiles", *GROWING)}
    return job.Run(seconds, 1_000.0, stages, {"answers_encoded": encoded})


def test_the_table_says_how_figures_grow_and_what_holds() -> None:
    bounds = {"bare product, s": 1.0, "share of the shards": 0.25, "candidates over bare product": 1.6}
    small = Town({"people": 1_000.0, "decisions": 2e4}, {"full": run(40)}, dict(bounds))
    bounds |= {"bare product, s": 39.0, "encoded a second": 2.0}
    large = Town({"people": 4_000.0, "decisions": 8e4, "answers": 800.0}, {"full": run(400)}, bounds)
    large.runs["day"] = run(120, encoded=120.0)
    rows = {str(row["figure"]): row for row in table([small, large])}
    assert (rows["profiles, s"]["1,000 people"], rows["profiles, s"][MEASURED]) == (10, 100)
    assert (rows["profiles, s"]["growth"], rows["profiles, s"]["peak MB"]) == ("n^1.66", 900)
    assert (rows[BUT_PRODUCT]["1,000 people"], rows[BUT_PRODUCT][MEASURED]) == (26, 144)
    assert (rows[BUT_PRODUCT]["growth"], rows[BUT_PRODUCT][""]) == ("n^1.23", "does not hold")
    assert (rows["candidates over bare product"]["bar"], rows["candidates over bare product"][""]) == (
        "<= 1.5",
        "does not hold",
    )
    assert (rows["full run, s"]["bar"], rows["full run, s"][""]) == ("<= 900", "holds")
    assert (rows[OF_FULL][MEASURED], rows[OF_FULL][""]) == (0.3, "does not hold")
    assert rows["day: share of one that encodes every answer"][MEASURED] == 120 / (400 + 800 / 2)
    assert rows["day: answers encoded"][MEASURED] == 120
    assert f"| {OF_FULL} |  | 0.3 |  |  | <= 0.25 | does not hold |" in markdown(list(rows.values()))
