"""The texts of simulated users: name, interests and answers, composed of the phrases in answers.toml."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import expit

from models.ml.arrays import Float64Array
from pipelines.loaders.simulation.simulated_exposure import draw_plackett_luce
from pipelines.loaders.simulation.simulated_population import FACTS, GENDERS, TOPICS, TRAITS, SimulatedPopulation

PROMPTS = ("about_me", "ideal_weekend", "looking_for")


@cache
def load_phrases() -> dict[str, Any]:
    """Return the tables of answers.toml."""
    return tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))


def draw_first_name(population: SimulatedPopulation, person: int, rng: Generator) -> str:
    """Draw a first name of the user's gender. The names come from many languages."""
    return _pick_option(load_phrases()["names"][GENDERS[population.gender[person]]], rng)


def draw_interests(population: SimulatedPopulation, person: int, rng: Generator) -> tuple[str, ...]:
    """Draw three to eight interests from the user's topics, about a tenth of them from any topic."""
    weights = 0.9 * population.topics[person] + 0.1 / len(TOPICS)
    counts = rng.multinomial(rng.integers(3, 9), weights)
    tags = [load_phrases()["topics"][topic]["interests"] for topic in TOPICS]
    return tuple(tags[t][tag] for t in np.flatnonzero(counts) for tag in rng.permutation(len(tags[t]))[: counts[t]])


def write_answers(population: SimulatedPopulation, person: int, rng: Generator) -> dict[str, str]:
    """Write the answers to the prompts that the user answers, 15 to 60 words each.

    Careful users answer more prompts.
    """
    answered = rng.random(len(PROMPTS)) < expit(1.9 + 0.9 * population.effort[person])
    return {
        prompt: _write_answer(population, person, prompt, rng)
        for prompt, yes in zip(PROMPTS, answered, strict=True)
        if yes
    }


def _write_answer(population: SimulatedPopulation, person: int, prompt: str, rng: Generator) -> str:
    template = _pick_option(load_phrases()["prompts"][prompt], rng)
    topics = [
        load_phrases()["topics"][topic] for topic in _draw_names(tuple(TOPICS), population.topics[person] ** 2, 3, rng)
    ]
    wanted = _draw_names(TRAITS, population.wants[person, : len(TRAITS)] ** 2, 2, rng)
    doing = [_pick_option(topic["doing"], rng) for topic in topics]
    return template.format(
        **dict(zip("abc", doing, strict=True)),
        saying=_pick_option(topics[0]["saying"], rng),
        trait=_describe_trait(population.traits[person], rng),
        wanted_a=_pick_option(load_phrases()["traits"][wanted[0]]["wanted"], rng),
        wanted_b=_pick_option(load_phrases()["traits"][wanted[1]]["wanted"], rng),
        job=_describe_fact(population, person, "occupation", rng),
        relationship=_describe_fact(population, person, "relationship", rng),
        children=_describe_fact(population, person, "wants_children", rng),
    )


def _describe_trait(traits: Float64Array, rng: Generator) -> str:
    """Return a sentence about one trait, most likely one in which the user is far from average."""
    name = _draw_names(TRAITS, traits**2, 1, rng)[0]
    return _pick_option(load_phrases()["traits"][name]["high" if traits[TRAITS.index(name)] > 0 else "low"], rng)


def _describe_fact(population: SimulatedPopulation, person: int, name: str, rng: Generator) -> str:
    category = list(FACTS[name])[population.facts[person, list(FACTS).index(name)]]
    return _pick_option(load_phrases()[name][category], rng)


def _draw_names(names: Sequence[str], weights: Float64Array, count: int, rng: Generator) -> list[str]:
    order, _ = draw_plackett_luce(weights, count, rng)
    return [names[index] for index in order]


def _pick_option(options: Sequence[str], rng: Generator) -> str:
    return options[int(rng.integers(len(options)))]
