"""What a person of the simulated town says in words: name, interests and answers, of the phrases in answers.toml."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy.special import expit

from pipelines.loaders.exposure import plackett_luce
from pipelines.loaders.town import FACTS, GENDERS, TOPICS, TRAITS, Floats, Town

PROMPTS = ("about_me", "ideal_weekend", "looking_for")


@cache
def phrases() -> dict[str, Any]:
    """The tables of answers.toml."""
    return tomllib.loads(Path(__file__).with_name("answers.toml").read_text(encoding="utf-8"))


def first_name(town: Town, person: int, rng: Generator) -> str:
    """A first name from many languages that goes with the person's gender."""
    return _pick(phrases()["names"][GENDERS[town.gender[person]]], rng)


def interests(town: Town, person: int, rng: Generator) -> tuple[str, ...]:
    """Three to eight tags of the person's topics, a tenth of them of any topic."""
    weights = 0.9 * town.topics[person] + 0.1 / len(TOPICS)
    counts = rng.multinomial(rng.integers(3, 9), weights)
    tags = [phrases()["topics"][topic]["interests"] for topic in TOPICS]
    return tuple(tags[t][tag] for t in np.flatnonzero(counts) for tag in rng.permutation(len(tags[t]))[: counts[t]])


def answers(town: Town, person: int, rng: Generator) -> dict[str, str]:
    """The answers to the prompts the person took up, 15 to 60 words each; the careful answer more of them."""
    answered = rng.random(len(PROMPTS)) < expit(1.9 + 0.9 * town.effort[person])
    return {prompt: _answer(town, person, prompt, rng) for prompt, yes in zip(PROMPTS, answered, strict=True) if yes}


def _answer(town: Town, person: int, prompt: str, rng: Generator) -> str:
    template = _pick(phrases()["prompts"][prompt], rng)
    topics = [phrases()["topics"][topic] for topic in _draw(tuple(TOPICS), town.topics[person] ** 2, 3, rng)]
    wanted = _draw(TRAITS, town.wants[person, : len(TRAITS)] ** 2, 2, rng)
    doing = [_pick(topic["doing"], rng) for topic in topics]
    return template.format(
        **dict(zip("abc", doing, strict=True)),
        saying=_pick(topics[0]["saying"], rng),
        trait=_trait(town.traits[person], rng),
        wanted_a=_pick(phrases()["traits"][wanted[0]]["wanted"], rng),
        wanted_b=_pick(phrases()["traits"][wanted[1]]["wanted"], rng),
        job=_fact(town, person, "occupation", rng),
        relationship=_fact(town, person, "relationship", rng),
        children=_fact(town, person, "wants_children", rng),
    )


def _trait(traits: Floats, rng: Generator) -> str:
    """A sentence on one trait, most likely one in which the person is far from average."""
    name = _draw(TRAITS, traits**2, 1, rng)[0]
    return _pick(phrases()["traits"][name]["high" if traits[TRAITS.index(name)] > 0 else "low"], rng)


def _fact(town: Town, person: int, name: str, rng: Generator) -> str:
    category = list(FACTS[name])[town.facts[person, list(FACTS).index(name)]]
    return _pick(phrases()[name][category], rng)


def _draw(names: Sequence[str], weights: Floats, count: int, rng: Generator) -> list[str]:
    order, _ = plackett_luce(weights, count, rng)
    return [names[index] for index in order]


def _pick(options: Sequence[str], rng: Generator) -> str:
    return options[int(rng.integers(len(options)))]
