"""What the people of the simulated town say, and that it tells of what they are."""

from string import Formatter

import numpy as np
import pytest

from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    GENDERS,
    TOPICS,
    TRAITS,
    SimulatedPopulation,
    build_population,
)
from pipelines.loaders.simulation.simulated_texts import (
    PROMPTS,
    draw_first_name,
    draw_interests,
    load_phrases,
    write_answers,
)

SLOTS = {"a", "b", "c", "saying", "trait", "wanted_a", "wanted_b", "job", "relationship", "children"}


@pytest.fixture(scope="module")
def town() -> SimulatedPopulation:
    return build_population(seed=2, people=1_000)


@pytest.fixture(scope="module")
def texts(town: SimulatedPopulation) -> list[dict[str, str]]:
    rng = np.random.default_rng(0)
    return [write_answers(town, person, rng) for person in range(town.people)]


def test_there_are_phrases_for_everything_a_town_is_made_of() -> None:
    assert set(load_phrases()["topics"]) == set(TOPICS)
    assert set(load_phrases()["traits"]) == set(TRAITS)
    assert set(load_phrases()["prompts"]) == set(PROMPTS)
    assert set(load_phrases()["names"]) == set(GENDERS)
    for fact in ("occupation", "relationship", "wants_children"):
        assert set(load_phrases()[fact]) == set(FACTS[fact])


def test_templates_ask_for_known_slots_only() -> None:
    for templates in load_phrases()["prompts"].values():
        for template in templates:
            assert {slot for _, slot, _, _ in Formatter().parse(template) if slot is not None} <= SLOTS


def test_no_phrase_belongs_to_two_topics() -> None:
    said = [phrase for topic in load_phrases()["topics"].values() for kind in topic.values() for phrase in kind]
    assert len(said) == len(set(said))


def test_answers_have_15_to_60_words_and_are_nearly_all_different(texts: list[dict[str, str]]) -> None:
    said = [answer for answered in texts for answer in answered.values()]
    words = [len(answer.split()) for answer in said]
    assert min(words) >= 15
    assert max(words) <= 60
    assert not any(brace in answer for answer in said for brace in "{}")
    assert len(set(said)) > 0.99 * len(said)


def test_the_careful_answer_more_and_few_answer_nothing(town: SimulatedPopulation, texts: list[dict[str, str]]) -> None:
    answered = np.array([len(each) for each in texts])
    assert set(answered) == {0, 1, 2, 3}
    assert 2.3 < answered.mean() < 2.7
    assert answered[town.effort > 1].mean() > answered[town.effort < -1].mean() + 0.4


def test_answers_speak_of_the_topics_a_person_cares_for(town: SimulatedPopulation, texts: list[dict[str, str]]) -> None:
    """The ideal weekend holds two or three topics: nearly always the first of the person's, hardly ever the last."""
    first, last = town.topics.argmax(axis=1), town.topics.argmin(axis=1)
    mentions = np.array(
        [
            [any(doing in answered["ideal_weekend"] for doing in topic["doing"]) for topic in by_topic()]
            for answered in texts
            if "ideal_weekend" in answered
        ]
    )
    people = np.array(["ideal_weekend" in answered for answered in texts])
    rows = np.arange(len(mentions))
    assert mentions[rows, first[people]].mean() > 0.9
    assert mentions[rows, last[people]].mean() < 0.02


def by_topic() -> list[dict[str, list[str]]]:
    return [load_phrases()["topics"][topic] for topic in TOPICS]


def test_traits_told_are_the_ones_the_person_has(town: SimulatedPopulation, texts: list[dict[str, str]]) -> None:
    for column, trait in enumerate(TRAITS):
        told = {
            level: [
                town.traits[person, column]
                for person, answered in enumerate(texts)
                if any(sentence in answered.get("about_me", "") for sentence in load_phrases()["traits"][trait][level])
            ]
            for level in ("high", "low")
        }
        assert len(told["high"]) > 20
        assert min(told["high"]) > 0 > max(told["low"])


def test_wants_told_are_the_ones_that_matter(town: SimulatedPopulation, texts: list[dict[str, str]]) -> None:
    for column, trait in enumerate(TRAITS):
        told = [
            town.wants[person, column]
            for person, answered in enumerate(texts)
            if any(phrase in answered.get("looking_for", "") for phrase in load_phrases()["traits"][trait]["wanted"])
        ]
        assert np.mean(told) > town.wants[:, column].mean() + 0.1


def test_facts_told_are_true(town: SimulatedPopulation, texts: list[dict[str, str]]) -> None:
    column, categories = list(FACTS).index("wants_children"), list(FACTS["wants_children"])
    for code, category in enumerate(categories):
        for sentence in load_phrases()["wants_children"][category]:
            told = [town.facts[n, column] for n, said in enumerate(texts) if sentence in said.get("looking_for", "")]
            assert set(told) == {code}


def test_interests_are_three_to_eight_tags_mostly_of_ones_topics(town: SimulatedPopulation) -> None:
    rng = np.random.default_rng(0)
    weight_of = {tag: column for column, topic in enumerate(by_topic()) for tag in topic["interests"]}
    shares = []
    for person in range(town.people):
        tags = draw_interests(town, person, rng)
        assert len(tags) == len(set(tags)) <= 8
        shares.append(np.mean([town.topics[person, weight_of[tag]] for tag in tags]))
    assert np.mean(shares) > 5 / len(TOPICS)


def test_names_go_with_genders(town: SimulatedPopulation) -> None:
    rng = np.random.default_rng(0)
    for person in range(200):
        assert draw_first_name(town, person, rng) in load_phrases()["names"][GENDERS[town.gender[person]]]
