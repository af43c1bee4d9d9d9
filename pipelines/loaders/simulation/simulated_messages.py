"""The words of simulated messages, composed of the phrases in messages.toml, and messages that are not texts."""

import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from models.ml.arrays import Float64Array, Int64Array
from models.simulation.after_the_like.conversations import SimulatedConversations
from models.simulation.after_the_like.topics import TALK
from models.simulation.luck import draw_uniform

TOPIC_NAMES = ("talk", "asks", "plans", "contacts", "insults", "scams")
"""The lists of messages.toml, by the codes of `models.simulation.after_the_like.topics`."""
SLOTS = ("thing", "place", "day", "hour", "handle")
KINDS = ("text", "photo", "voice", "call")
KIND_SHARES = np.array([0.94, 0.03, 0.02, 0.01])
"""Shares of kinds among messages that say nothing in particular; all others are texts."""
MEDIAN_SECONDS = 20.0
TEMPLATE, SLOT, KIND, SECONDS = range(201, 205)
"""What a number is drawn for, apart from the purposes of the model."""


@cache
def load_phrases() -> dict[str, tuple[str, ...]]:
    """Return the lists of messages.toml."""
    content = tomllib.loads(Path(__file__).with_name("messages.toml").read_text(encoding="utf-8"))
    return {name: tuple(phrases) for name, phrases in content.items()}


def draw_kinds(simulated: SimulatedConversations, seed: int) -> Int64Array:
    """Draw the kind of each message, as an index in KINDS, int64 (m,)."""
    kinds = np.searchsorted(np.cumsum(KIND_SHARES)[:-1], _draw(simulated, seed, KIND), side="right")
    return np.where(simulated.said == TALK, kinds, 0)


def draw_seconds(simulated: SimulatedConversations, seed: int) -> Int64Array:
    """Draw how long each message would be as a voice message or a call, in seconds, int64 (m,)."""
    seconds = -MEDIAN_SECONDS / np.log(2) * np.log(_draw(simulated, seed, SECONDS))
    return np.asarray(np.ceil(seconds), np.int64)


def write_texts(simulated: SimulatedConversations, seed: int) -> list[str]:
    """Write the words of each message, (m,): the same for the same pair, number and topic."""
    phrases = load_phrases()
    template = _draw(simulated, seed, TEMPLATE).tolist()
    slots = [_draw(simulated, seed, SLOT, index).tolist() for index in range(len(SLOTS) + 1)]
    names = [phrases[name] for name in SLOTS]
    texts = []
    said, numbers = simulated.said.tolist(), simulated.messages.number.tolist()
    for topic, number, luck, *picks in zip(said, numbers, template, *slots, strict=True):
        options = phrases["opener" if number == 1 and topic == TALK else TOPIC_NAMES[topic]]
        words = {name: each[int(pick * len(each))] for name, each, pick in zip(SLOTS, names, picks, strict=False)}
        words["phone"] = f"07700 900{int(picks[-1] * 1000):03d}"
        words["handle"] += f"_{int(picks[-1] * 10_000)}"
        texts.append(options[int(luck * len(options))].format_map(words))
    return texts


def _draw(simulated: SimulatedConversations, seed: int, purpose: int, *keys: int) -> Float64Array:
    matches, messages = simulated.matches, simulated.messages
    pair = matches.a[messages.conversation], matches.b[messages.conversation]
    return draw_uniform(seed, purpose, *pair, messages.number, *keys)
