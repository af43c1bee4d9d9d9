"""Flags of messages: what rules and classifiers find together, each kind once for a message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.ml.conversations.flags.flag_model import FlagModel, encode_beginnings
from models.ml.conversations.flags.rules import match_rules
from models.ml.conversations.words.bodies import cut_bodies

ABUSE, ADVERTISEMENT = "abuse", "advertisement"
CLASSIFIED = (ABUSE, ADVERTISEMENT)
"""The kinds that need a trained classifier; without one the rules alone flag."""
RULE_SCORE = 1.0
"""A rule is sure of itself, and is reviewed before what a classifier found."""
CLASSIFIER = "classifier"


@dataclass(frozen=True)
class Flag:
    """One reason to look at a message."""

    index: int
    """Of the message, from 0."""
    kind: str
    score: float
    rule: str
    """The name of the rule, or `classifier`."""


def flag_messages(bodies: Sequence[str], models: Mapping[str, FlagModel]) -> list[Flag]:
    """Flag messages by the rules, and by the classifiers that there are.

    Args:
        bodies: Bodies of any length; only their beginnings are read.
        models: A classifier by its kind, of `CLASSIFIED`.
    """
    read = cut_bodies(bodies)
    flags = [Flag(index, kind, RULE_SCORE, kind) for index, body in enumerate(read) for kind in match_rules(body)]
    said = [index for index, body in enumerate(read) if any(map(str.isalpha, body))]
    texts = [read[index] for index in said]
    vectors = encode_beginnings(texts) if models else np.empty((0, 0), np.float32)
    for kind, model in models.items():
        scores = model.predict_encoded(texts, vectors)
        found = np.flatnonzero(scores > model.threshold)
        flags += [Flag(said[place], kind, float(scores[place]), CLASSIFIER) for place in found]
    return flags
