"""What simulated users are and what their profiles say of it."""

import numpy as np
import pandas as pd
import pytest

from models.ml.arrays import BoolArray, Float64Array
from pipelines.loaders.records import Person, compute_age
from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TOPICS,
    TRAITS,
    WANTS,
    SimulatedPopulation,
)
from pipelines.loaders.simulation.simulated_texts import load_phrases

BY_TOPIC = [load_phrases()["topics"][topic] for topic in TOPICS]


def test_users_are_adults_who_seek_some_gender_and_age(population: SimulatedPopulation) -> None:
    today, least, most = REFERENCE_TIME.date(), population.age_min, population.age_max
    assert [compute_age(each, today) for each in population.birth_date.tolist()] == population.age.tolist()
    assert 18 == population.age.min() < population.age.max() <= 70
    assert population.seeks.any(axis=1).all()
    assert (least <= np.maximum(population.ideal_age, 18)).all()
    assert (population.ideal_age <= most).all()
    assert np.concatenate([least[least > 0], most[most < NO_AGE_LIMIT]]).min() >= 18


def test_facts_are_reported_as_they_are_with_gaps(population: SimulatedPopulation, profiles: list[Person]) -> None:
    for (name, shares), codes in zip(FACTS.items(), population.facts.T, strict=True):
        reported = np.array([[*shares, None].index(profile.facts.get(name)) for profile in profiles])
        given = reported < len(shares)
        assert 0.1 < 1 - given.mean() < 0.2
        np.testing.assert_array_equal(reported[given], codes[given])
    for name, category, oldest in (("occupation", "student", 32), ("wants_children", "yes", 47)):
        codes = population.facts[:, list(FACTS).index(name)]
        assert population.age[codes == list(FACTS[name]).index(category)].max() <= oldest


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


def test_limits_on_a_profile_are_the_populations(population: SimulatedPopulation, profiles: list[Person]) -> None:
    frame = pd.DataFrame(profiles)
    assert frame[["latitude", "longitude"]].to_numpy().tolist() == population.place.tolist()
    assert frame["birth_date"].tolist() == population.birth_date.tolist()
    for name, unlimited in (("age_min", 0), ("age_max", NO_AGE_LIMIT), ("max_distance_km", np.inf)):
        assert 0 < frame[name].isna().mean() < 0.2
        np.testing.assert_array_equal(frame[name].fillna(unlimited), getattr(population, name))


def find_users(profiles: list[Person], prompt: str, phrases: list[str]) -> BoolArray:
    """Which users say any of the phrases under the prompt."""
    return np.array([any(each in profile.texts.get(prompt, "") for each in phrases) for profile in profiles])


def test_answers_differ_and_careful_users_write_more(population: SimulatedPopulation, profiles: list[Person]) -> None:
    said = [answer for profile in profiles for answer in profile.texts.values()]
    assert all(15 <= len(answer.split()) <= 60 for answer in said)
    assert not any(brace in answer for answer in said for brace in "{}")
    assert len(set(said)) > 0.99 * len(said)
    answered = np.array([len(profile.texts) for profile in profiles])
    assert set(answered) == {0, 1, 2, 3}
    assert answered[population.effort > 1].mean() > answered[population.effort < -1].mean() + 0.4


def test_answers_are_about_the_topics_of_the_user(population: SimulatedPopulation, profiles: list[Person]) -> None:
    wrote = np.array(["ideal_weekend" in profile.texts for profile in profiles])
    mentions = np.array([find_users(profiles, "ideal_weekend", topic["doing"]) for topic in BY_TOPIC])
    users = np.arange(population.people)
    assert mentions[population.topics.argmax(axis=1), users][wrote].mean() > 0.9
    assert mentions[population.topics.argmin(axis=1), users][wrote].mean() < 0.02


def test_traits_wants_and_facts_in_texts_are_true(population: SimulatedPopulation, profiles: list[Person]) -> None:
    for column, trait in enumerate(TRAITS):
        phrases, traits = load_phrases()["traits"][trait], population.traits[:, column]
        high, low = (traits[find_users(profiles, "about_me", phrases[level])] for level in ("high", "low"))
        assert len(high) > 20
        assert high.min() > 0 > low.max()
        wants = population.wants[:, column]
        assert wants[find_users(profiles, "looking_for", phrases["wanted"])].mean() > wants.mean() + 0.1
    column = list(FACTS).index("wants_children")
    for code, category in enumerate(FACTS["wants_children"]):
        says = find_users(profiles, "looking_for", load_phrases()["wants_children"][category])
        assert set(population.facts[says, column]) == {code}


def test_interests_and_names_are_the_users(population: SimulatedPopulation, profiles: list[Person]) -> None:
    topic_of = {tag: column for column, topic in enumerate(BY_TOPIC) for tag in topic["interests"]}
    shares = []
    for weights, profile in zip(population.topics, profiles, strict=True):
        assert len(profile.interests) == len(set(profile.interests)) <= 8
        shares.append(np.mean([weights[topic_of[tag]] for tag in profile.interests]))
    assert np.mean(shares) > 5 / len(TOPICS)
    assert all(profile.display_name in load_phrases()["names"][profile.gender] for profile in profiles)
