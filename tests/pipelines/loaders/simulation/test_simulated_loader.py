from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, text

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from models.ml.validation.score_metrics import compute_within_viewer_auc
from pipelines.loaders.records import Interaction, LoadReport, Person
from pipelines.loaders.simulation import ground_truth
from pipelines.loaders.simulation.choice_model import compute_expected_p_like, compute_p_like
from pipelines.loaders.simulation.simulated_loader import iterate_interactions, iterate_people, load_simulated
from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TRAITS,
    WANTS,
    SimulatedPopulation,
    build_population,
)
from tests.pipelines.loaders.simulation.conftest import Decided

LOADED = """
SELECT actor.source_key, target.source_key, kind = 'like', matching.is_eligible(actor, target, :today)
FROM app.interactions
JOIN app.profiles AS actor ON actor.id = actor_id JOIN app.profiles AS target ON target.id = target_id
"""


def build_rows(seed: int, people: int) -> list[Person | Interaction]:
    population = build_population(seed, people)
    return [*iterate_people(population), *iterate_interactions(population)]


def test_seed_and_size_give_the_same_rows_and_others_none() -> None:
    first = build_rows(1, 40)
    assert first == build_rows(1, 40)
    assert len(first) > 40
    said = {answer for row in first if isinstance(row, Person) for answer in row.texts.values()}
    for other in (build_rows(2, 40), build_rows(1, 41)):
        assert not any(row in first for row in other)
        assert not any(said & set(row.texts.values()) for row in other if isinstance(row, Person))


@pytest.mark.parametrize("people", [0, 1, 2])
def test_the_smallest_populations(people: int) -> None:
    keys = [f"simulated:6-{people}:{number}" for number in range(people)]
    rows = build_rows(6, people)
    assert [row.source_key for row in rows if isinstance(row, Person)] == keys
    acts = [(row.actor_key, row.target_key) for row in rows if isinstance(row, Interaction)]
    assert set(acts) <= {(actor, target) for actor in keys for target in keys if actor != target}


def test_limits_on_a_profile_are_the_populations(population: SimulatedPopulation, profiles: list[Person]) -> None:
    frame = pd.DataFrame(profiles)
    assert frame[["latitude", "longitude"]].to_numpy().tolist() == population.place.tolist()
    assert frame["birth_date"].tolist() == population.birth_date.tolist()
    for name, unlimited in (("age_min", 0), ("age_max", NO_AGE_LIMIT), ("max_distance_km", np.inf)):
        assert 0 < frame[name].isna().mean() < 0.2
        np.testing.assert_array_equal(frame[name].fillna(unlimited), getattr(population, name))


@pytest.mark.parametrize(("kind", "names", "top", "alike"), [("traits", TRAITS, 10, 0.8), ("wants", WANTS, 1, 0.9)])
def test_reported_numbers_are_noisy_with_gaps(
    population: SimulatedPopulation, profiles: list[Person], kind: str, names: tuple[str, ...], top: float, alike: float
) -> None:
    for column, name in enumerate(names):
        numbers: Float64Array = np.array([getattr(profile, kind).get(name, np.nan) for profile in profiles])
        given = ~np.isnan(numbers)
        assert 0.08 < 1 - given.mean() < 0.16
        assert 0 <= numbers[given].min() < numbers[given].max() <= top
        assert alike < np.corrcoef(numbers[given], getattr(population, kind)[given, column])[0, 1] < 0.99


def test_reported_facts_are_true_with_gaps(population: SimulatedPopulation, profiles: list[Person]) -> None:
    for column, (name, shares) in enumerate(FACTS.items()):
        codes = np.array([[*shares, None].index(profile.facts.get(name)) for profile in profiles])
        given = codes < len(shares)
        assert 0.1 < 1 - given.mean() < 0.2
        np.testing.assert_array_equal(codes[given], population.facts[given, column])


def test_interactions_are_the_impressions() -> None:
    population = build_population(1, 200)
    made = pd.DataFrame(iterate_interactions(population))
    assert set(made["kind"]) == {"like", "pass"}
    assert (made["created_at"] < pd.Timestamp(REFERENCE_TIME)).all()
    assert made["position"].min() == 1
    assert made["propensity"].between(0, 1, inclusive="right").all()


def test_chemistry_is_worth_knowing(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, liked = decided
    viewer, candidate = impressions.viewer, impressions.candidate
    by_profiles, by_truth = (
        compute_within_viewer_auc(viewer, liked, score(population, viewer, candidate))
        for score in (compute_expected_p_like, compute_p_like)
    )
    assert 0.7 < by_profiles < 0.78 < by_truth < 0.85


@pytest.mark.parametrize(("people", "seed"), [(-1, 1), (1_000_001, 1), (3, -1), (3, 2**63)])
def test_an_impossible_size_or_seed_is_named(engine: Engine, tmp_path: Path, people: int, seed: int) -> None:
    with pytest.raises(InputError, match=f"{people if people != 3 else seed} "):
        load_simulated(engine, people, seed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_load_keeps_the_rules_and_a_second_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    first, second = (load_simulated(engine, people=300, seed=1, home=tmp_path) for _ in range(2))
    made = first.interactions_added
    assert first == LoadReport(300, 0, 0, made, 0, 0, first.refused)
    assert second == LoadReport(0, 0, 300, 0, 0, made, first.refused)
    assert first.refused.total() == 0
    with engine.connect() as connection:
        rows = connection.execute(text(LOADED), {"today": REFERENCE_TIME.date()}).all()
    viewers, candidates, liked, eligible = zip(*rows, strict=True)
    assert len(rows) == made > 2_000
    assert all(eligible)
    p_like = ground_truth.read_truth(tmp_path, seed=1, people=300).compute_p_like(viewers, candidates)
    assert compute_within_viewer_auc(pd.factorize(np.array(viewers))[0], np.array(liked), p_like) > 0.75


def test_another_seed_or_size_is_a_population_beside(engine: Engine, tmp_path: Path) -> None:
    asked = ((30, 1), (30, 2), (31, 1), (0, 1), (30, 1))
    reports = [load_simulated(engine, people, seed, tmp_path) for people, seed in asked]
    assert [report.profiles_added for report in reports] == [30, 30, 31, 0, 0]
    assert [report.profiles_changed for report in reports] == [0] * 5
    assert sorted(path.name for path in (tmp_path / "truth").iterdir()) == [
        f"simulated-{each}.npz" for each in ("1-0", "1-30", "1-31", "2-30")
    ]
