"""Loading a simulated town: its profiles and interactions, and the real database."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata
from sqlalchemy import Engine, text

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from pipelines.loaders.records import Interaction, LoadReport, Person
from pipelines.loaders.simulation import ground_truth, simulated_loader
from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TRAITS,
    WANTS,
    SimulatedPopulation,
    build_population,
)


@pytest.fixture(scope="module")
def town() -> SimulatedPopulation:
    return build_population(seed=9, people=1_500)


@pytest.fixture(scope="module")
def persons(town: SimulatedPopulation) -> list[Person]:
    return list(simulated_loader.iterate_people(town))


@pytest.fixture(scope="module")
def interactions(town: SimulatedPopulation) -> list[Interaction]:
    return list(simulated_loader.iterate_interactions(town))


def test_the_same_seed_gives_the_same_rows_and_another_seed_none_of_them() -> None:
    first, again, other = (
        [
            *simulated_loader.iterate_people(build_population(seed, 40)),
            *simulated_loader.iterate_interactions(build_population(seed, 40)),
        ]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert len(first) > 40
    assert not any(row in first for row in other)
    said = {answer for row in first if isinstance(row, Person) for answer in row.texts.values()}
    assert not any(said & set(row.texts.values()) for row in other if isinstance(row, Person))


@pytest.mark.parametrize("people", [0, 1, 2])
def test_the_smallest_towns(people: int) -> None:
    town = build_population(6, people)
    assert [person.source_key for person in simulated_loader.iterate_people(town)] == [
        f"simulated:6-{people}:{n}" for n in range(people)
    ]
    assert {one.actor_key for one in simulated_loader.iterate_interactions(town)} <= {
        f"simulated:6-{people}:{n}" for n in range(people)
    }


def test_rules_on_a_profile_are_the_towns(town: SimulatedPopulation, persons: list[Person]) -> None:
    for number, person in enumerate(persons):
        assert [person.latitude, person.longitude] == town.place[number].tolist()
        assert person.birth_date == town.birth_date[number].item()
        assert (0 if person.age_min is None else person.age_min) == town.age_min[number]
        assert (NO_AGE_LIMIT if person.age_max is None else person.age_max) == town.age_max[number]
        assert (np.inf if person.max_distance_km is None else person.max_distance_km) == town.max_distance_km[number]
    assert {None} < {person.age_min for person in persons}
    assert {None} < {person.age_max for person in persons}
    assert {None} < {person.max_distance_km for person in persons}


def told(persons: list[Person], kind: str, name: str) -> Float64Array:
    return np.array([getattr(person, kind).get(name, np.nan) for person in persons])


@pytest.mark.parametrize(
    ("kind", "names", "top", "alike"), [("traits", TRAITS, 10, 0.8), ("wants", WANTS, 1, 0.9)], ids=["traits", "wants"]
)
def test_numbers_told_are_noisy_readings_with_gaps(
    town: SimulatedPopulation, persons: list[Person], kind: str, names: tuple[str, ...], top: float, alike: float
) -> None:
    for column, name in enumerate(names):
        numbers = told(persons, kind, name)
        given = ~np.isnan(numbers)
        assert 0.08 < 1 - given.mean() < 0.16
        assert numbers[given].min() >= 0
        assert numbers[given].max() <= top
        assert alike < np.corrcoef(numbers[given], getattr(town, kind)[given, column])[0, 1] < 0.99


def test_facts_told_are_true_with_gaps(town: SimulatedPopulation, persons: list[Person]) -> None:
    for column, (name, shares) in enumerate(FACTS.items()):
        codes = [list(shares).index(person.facts[name]) if name in person.facts else -1 for person in persons]
        given = np.array(codes) >= 0
        assert 0.1 < 1 - given.mean() < 0.2
        np.testing.assert_array_equal(np.array(codes)[given], town.facts[given, column])


def test_interactions_are_dated_and_placed(interactions: list[Interaction]) -> None:
    assert {one.kind for one in interactions} == {"like", "pass"}
    for one in interactions:
        assert one.actor_key != one.target_key
        assert one.created_at < REFERENCE_TIME
        assert one.created_at.tzinfo is not None
        assert one.position is not None
        assert one.position >= 1
        assert one.propensity is not None
        assert 0 < one.propensity <= 1


def auc_within_viewers(viewers: Sequence[str], score: Float64Array, liked: Float64Array) -> float:
    """Mean over viewers of the probability that a liked candidate scores above a passed one."""
    rows: dict[str, list[int]] = {}
    for row, viewer in enumerate(viewers):
        rows.setdefault(viewer, []).append(row)
    each = []
    for mine in rows.values():
        likes, ranks = liked[mine], rankdata(score[mine])
        if 0 < likes.sum() < len(likes):
            above = ranks[likes == 1].sum() - likes.sum() * (likes.sum() + 1) / 2
            each.append(above / (likes.sum() * (likes == 0).sum()))
    return float(np.mean(each))


def test_chemistry_is_worth_knowing_and_profiles_tell_a_part(
    town: SimulatedPopulation, persons: list[Person], interactions: list[Interaction]
) -> None:
    """Fit odd viewers' likes on what profiles show, rank even viewers': far from chance, far from the truth."""
    by_key = {person.source_key: person for person in persons}
    viewers, candidates = ([getattr(one, side) for one in interactions] for side in ("actor_key", "target_key"))
    liked = np.array([one.kind == "like" for one in interactions], dtype=float)
    shown = np.array([seen(by_key[v], by_key[c]) for v, c in zip(viewers, candidates, strict=True)])
    odd = np.array([int(viewer.rpartition(":")[2]) % 2 == 1 for viewer in viewers])
    known = ground_truth.GroundTruth(town)
    even = [viewer for viewer, is_odd in zip(viewers, odd, strict=True) if not is_odd]
    coefficients = np.linalg.lstsq(shown[odd], liked[odd], rcond=None)[0]
    by_profile, by_attraction, by_truth = (
        auc_within_viewers(even, score[~odd], liked[~odd])
        for score in (
            shown @ coefficients,
            known.compute_expected_p_like(viewers, candidates),
            known.compute_p_like(viewers, candidates),
        )
    )
    assert 0.62 < by_profile < 0.72 < by_attraction < 0.78 < by_truth < 0.85


def seen(viewer: Person, candidate: Person) -> list[float]:
    """What a simple ranker could read off two profiles."""
    wanted = sum(viewer.wants.get(trait, 0.4) * (candidate.traits.get(trait, 5.5) - 5.5) for trait in TRAITS)
    shared_facts = [float(candidate.facts.get(name) == category) for name, category in viewer.facts.items()]
    years = (viewer.birth_date - candidate.birth_date).days / 365
    return [
        1.0,
        wanted,
        float(len(set(viewer.interests) & set(candidate.interests))),
        sum(shared_facts),
        years,
        years**2,
        candidate.traits.get("fitness", 5.5),
        candidate.traits.get("humour", 5.5),
        float(len(candidate.texts)),
    ]


@pytest.mark.parametrize("people", [-1, 1_000_001])
def test_an_impossible_size_is_refused(engine: Engine, tmp_path: Path, people: int) -> None:
    with pytest.raises(InputError, match=f"a town of {people} people cannot be simulated; ask for 0 to 1,000,000"):
        simulated_loader.load_simulated(engine, people, seed=1, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_an_impossible_seed_is_refused(engine: Engine, tmp_path: Path, seed: int) -> None:
    with pytest.raises(InputError, match=f"{seed} cannot be a seed"):
        simulated_loader.load_simulated(engine, people=3, seed=seed, home=tmp_path)


def test_loading_a_town_twice_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    first, second = (simulated_loader.load_simulated(engine, people=300, seed=1, home=tmp_path) for _ in range(2))
    made = first.interactions_added
    assert first == LoadReport(300, 0, 0, made, 0, 0, first.refused)
    assert second == LoadReport(0, 0, 300, 0, 0, made, first.refused)
    assert made > 2_000
    assert first.refused.total() == 0


def test_everything_loaded_obeys_the_databases_own_rules(engine: Engine, tmp_path: Path) -> None:
    report = simulated_loader.load_simulated(engine, people=300, seed=1, home=tmp_path)
    with engine.connect() as connection:
        eligible = connection.scalar(
            text(
                "SELECT count(*) FILTER (WHERE matching.is_eligible(actor, target, :today)) FROM app.interactions"
                " JOIN app.profiles actor ON actor.id = actor_id JOIN app.profiles target ON target.id = target_id"
            ),
            {"today": REFERENCE_TIME.date()},
        )
    assert eligible == report.interactions_added


def test_the_truth_kept_is_of_the_people_loaded(engine: Engine, tmp_path: Path) -> None:
    simulated_loader.load_simulated(engine, people=300, seed=1, home=tmp_path)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT actor.source_key, target.source_key, kind = 'like' FROM app.interactions"
                " JOIN app.profiles actor ON actor.id = actor_id JOIN app.profiles target ON target.id = target_id"
            )
        ).all()
    viewers, candidates, liked = zip(*rows, strict=True)
    p_like = ground_truth.read_truth(tmp_path, seed=1, people=300).compute_p_like(viewers, candidates)
    assert auc_within_viewers(viewers, p_like, np.array(liked, dtype=float)) > 0.75
    assert p_like.mean() == pytest.approx(np.mean(liked), abs=3 * np.sqrt((p_like * (1 - p_like)).sum()) / len(p_like))


def test_another_seed_or_size_is_a_town_beside(engine: Engine, tmp_path: Path) -> None:
    reports = [
        simulated_loader.load_simulated(engine, people, seed, tmp_path)
        for people, seed in ((30, 1), (30, 2), (31, 1), (0, 1), (30, 1))
    ]
    assert [report.profiles_added for report in reports] == [30, 30, 31, 0, 0]
    assert [report.profiles_changed for report in reports] == [0] * 5
    assert sorted(path.name for path in (tmp_path / "truth").iterdir()) == [
        f"simulated-{town}.npz" for town in ("1-0", "1-30", "1-31", "2-30")
    ]
