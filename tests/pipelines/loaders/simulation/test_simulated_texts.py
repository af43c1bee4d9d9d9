"""The texts of simulated profiles agree with the true attributes."""

import numpy as np

from models.ml.arrays import BoolArray
from pipelines.loaders.records import Person
from pipelines.loaders.simulation.simulated_population import FACTS, TOPICS, TRAITS, SimulatedPopulation
from pipelines.loaders.simulation.simulated_texts import load_phrases

BY_TOPIC = [load_phrases()["topics"][topic] for topic in TOPICS]


def find_users(profiles: list[Person], prompt: str, phrases: list[str]) -> BoolArray:
    """Which users say any of the phrases under the prompt."""
    return np.array([any(each in profile.texts.get(prompt, "") for each in phrases) for profile in profiles])


def test_no_phrase_belongs_to_two_topics() -> None:
    said = [phrase for topic in BY_TOPIC for kind in topic.values() for phrase in kind]
    assert len(said) == len(set(said))


def test_answers_have_15_to_60_words_and_differ(profiles: list[Person]) -> None:
    said = [answer for profile in profiles for answer in profile.texts.values()]
    assert all(15 <= len(answer.split()) <= 60 for answer in said)
    assert not any(brace in answer for answer in said for brace in "{}")
    assert len(set(said)) > 0.99 * len(said)


def test_careful_users_answer_more(population: SimulatedPopulation, profiles: list[Person]) -> None:
    answered = np.array([len(profile.texts) for profile in profiles])
    assert set(answered) == {0, 1, 2, 3}
    assert 2.3 < answered.mean() < 2.7
    assert answered[population.effort > 1].mean() > answered[population.effort < -1].mean() + 0.4


def test_answers_are_about_the_topics_of_the_user(population: SimulatedPopulation, profiles: list[Person]) -> None:
    wrote = np.array(["ideal_weekend" in profile.texts for profile in profiles])
    mentions = np.array([find_users(profiles, "ideal_weekend", topic["doing"]) for topic in BY_TOPIC])
    users = np.arange(population.people)
    assert mentions[population.topics.argmax(axis=1), users][wrote].mean() > 0.9
    assert mentions[population.topics.argmin(axis=1), users][wrote].mean() < 0.02


def test_traits_and_wants_in_texts_are_the_users(population: SimulatedPopulation, profiles: list[Person]) -> None:
    for column, trait in enumerate(TRAITS):
        phrases, traits = load_phrases()["traits"][trait], population.traits[:, column]
        high, low = (traits[find_users(profiles, "about_me", phrases[level])] for level in ("high", "low"))
        assert len(high) > 20
        assert high.min() > 0 > low.max()
        wants = population.wants[:, column]
        assert wants[find_users(profiles, "looking_for", phrases["wanted"])].mean() > wants.mean() + 0.1


def test_facts_in_texts_are_true(population: SimulatedPopulation, profiles: list[Person]) -> None:
    column = list(FACTS).index("wants_children")
    for code, category in enumerate(FACTS["wants_children"]):
        says = find_users(profiles, "looking_for", load_phrases()["wants_children"][category])
        assert set(population.facts[says, column]) == {code}


def test_interests_are_mostly_of_the_users_topics(population: SimulatedPopulation, profiles: list[Person]) -> None:
    topic_of = {tag: column for column, topic in enumerate(BY_TOPIC) for tag in topic["interests"]}
    shares = []
    for weights, profile in zip(population.topics, profiles, strict=True):
        tags = profile.interests
        assert len(tags) == len(set(tags)) <= 8
        shares.append(np.mean([weights[topic_of[tag]] for tag in tags]))
    assert np.mean(shares) > 5 / len(TOPICS)


def test_names_go_with_genders(profiles: list[Person]) -> None:
    assert all(profile.display_name in load_phrases()["names"][profile.gender] for profile in profiles)
