"""The people of a simulated town."""

from dataclasses import fields

import numpy as np
import pytest

from pipelines.loaders.simulation.simulated_population import (
    AGE_GAP,
    FACTS,
    GENDERS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TOPICS,
    TRAITS,
    WANTS,
    SimulatedPopulation,
    build_population,
)


@pytest.fixture(scope="module")
def town() -> SimulatedPopulation:
    return build_population(seed=11, people=5_000)


def test_the_same_seed_and_size_give_the_same_town() -> None:
    first, second = build_population(3, 200), build_population(3, 200)
    for field in fields(SimulatedPopulation):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name), field.name)


@pytest.mark.parametrize("other", [build_population(4, 200), build_population(3, 201)], ids=["seed", "size"])
def test_another_seed_or_size_is_another_town(other: SimulatedPopulation) -> None:
    town = build_population(3, 200)
    keys = {town.make_source_key(number) for number in range(town.people)}
    assert keys.isdisjoint(other.make_source_key(number) for number in range(other.people))
    assert not np.isin(town.appeal, other.appeal).any()
    assert (town.gender != other.gender[:200]).any()


@pytest.mark.parametrize("people", [0, 1, 2])
def test_every_array_has_a_row_for_each_person_however_few(people: int) -> None:
    town = build_population(5, people)
    assert town.people == people
    assert {len(getattr(town, field.name)) for field in fields(SimulatedPopulation) if field.name != "seed"} == {people}


def test_birthdays_make_the_ages_right_at_the_reference(town: SimulatedPopulation) -> None:
    for birth_date, age in zip(town.birth_date.tolist(), town.age.tolist(), strict=True):
        had_birthday = (birth_date.month, birth_date.day) <= (REFERENCE_TIME.month, REFERENCE_TIME.day)
        assert REFERENCE_TIME.year - birth_date.year - (not had_birthday) == age


def test_ages_are_those_of_adults_mostly_young(town: SimulatedPopulation) -> None:
    assert town.age.min() == 18
    assert 65 <= town.age.max() <= 70
    assert 28 <= np.median(town.age) <= 34
    assert 0.10 <= (town.age >= 45).mean() <= 0.20


def test_everybody_seeks_somebody_and_most_are_straight(town: SimulatedPopulation) -> None:
    assert town.seeks.any(axis=1).all()
    woman, man = (GENDERS.index(gender) for gender in ("woman", "man"))
    women = town.seeks[town.gender == woman]
    assert 0.85 <= (women[:, man] & ~women[:, woman]).mean() <= 0.89
    assert 0.03 <= (women[:, woman] & ~women[:, man]).mean() <= 0.07
    assert 0.06 <= (women[:, woman] & women[:, man]).mean() <= 0.10
    np.testing.assert_allclose(np.bincount(town.gender) / town.people, [0.485, 0.485, 0.03], atol=0.02)


def test_wanted_ages_hold_the_ideal_age_of_adults(town: SimulatedPopulation) -> None:
    assert (town.age_min <= np.maximum(town.ideal_age, 18)).all()
    assert (town.ideal_age <= town.age_max).all()
    limits = np.concatenate([town.age_min[town.age_min > 0], town.age_max[town.age_max < NO_AGE_LIMIT]])
    assert limits.min() >= 18
    gap = (town.ideal_age - town.age)[town.gender == GENDERS.index("woman")].mean()
    assert gap == pytest.approx(AGE_GAP["woman"] * town.age.mean() / 30, abs=0.2)


def test_places_lie_around_the_lake(town: SimulatedPopulation) -> None:
    assert np.abs(town.place - [47.35, 8.55]).max() < 0.7
    np.testing.assert_array_equal(town.place, town.place.round(4))


def test_latents_have_the_documented_shapes_and_scales(town: SimulatedPopulation) -> None:
    assert town.topics.shape == (5_000, len(TOPICS))
    np.testing.assert_allclose(town.topics.sum(axis=1), 1)
    assert town.topics.min() > 0
    np.testing.assert_allclose(town.traits.std(axis=0), np.ones(len(TRAITS)), atol=0.05)
    assert town.wants.shape == (5_000, len(WANTS))
    assert ((town.wants >= 0) & (town.wants <= 1)).all()
    assert ((town.activity >= 0) & (town.activity <= 1)).all()


def test_topics_go_with_their_traits(town: SimulatedPopulation) -> None:
    for column, trait in enumerate(TOPICS.values()):
        assert np.corrcoef(town.topics[:, column], town.traits[:, TRAITS.index(trait)])[0, 1] > 0.08


def test_facts_follow_their_shares_and_age(town: SimulatedPopulation) -> None:
    for column, shares in enumerate(FACTS.values()):
        assert sum(shares.values()) == pytest.approx(1)
        assert set(town.facts[:, column]) == set(range(len(shares)))
    smokes = np.bincount(town.facts[:, list(FACTS).index("smokes")]) / town.people
    np.testing.assert_allclose(smokes, list(FACTS["smokes"].values()), atol=0.025)
    occupation, children = (town.facts[:, list(FACTS).index(name)] for name in ("occupation", "wants_children"))
    assert town.age[occupation == list(FACTS["occupation"]).index("student")].max() <= 32
    assert town.age[children == list(FACTS["wants_children"]).index("yes")].max() <= 47
