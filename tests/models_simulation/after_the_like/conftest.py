"""Many conversations of people who have many."""

from dataclasses import dataclass

import numpy as np
import pytest

from models.ml.arrays import Int64Array
from models.simulation.after_the_like.exchanges import MatchedPairs, SentMessages, draw_messages
from models.simulation.after_the_like.habits import ConversationHabits, combine_affinity, draw_habits, draw_rapport

PEOPLE, PAIRS, SEED = 1_200, 24_000, 3


@dataclass(frozen=True)
class Drawn:
    """All pairs, the habits of their people, and the messages of conversations that nobody ends."""

    pairs: MatchedPairs
    habits: ConversationHabits
    messages: SentMessages

    @property
    def counts(self) -> Int64Array:
        """Messages of a and b, (k, 2)."""
        cell = self.messages.conversation * 2 + self.messages.side
        return np.bincount(cell, minlength=2 * len(self.pairs.a)).reshape(-1, 2)


def draw_alone(pairs: MatchedPairs, habits: ConversationHabits, seed: int) -> SentMessages:
    """The messages of conversations that nobody ends."""
    affinity = combine_affinity(habits, pairs.a, pairs.b, draw_rapport(seed, pairs.a, pairs.b))
    return draw_messages(pairs, habits, affinity, seed)


def draw_pairs(people: int, count: int, seed: int) -> MatchedPairs:
    """So many pairs, each once, in random order, who match over 30 days."""
    rng = np.random.default_rng(seed)
    smaller, larger = np.triu_indices(people, 1)
    chosen = rng.permutation(len(smaller))[:count]
    return MatchedPairs(smaller[chosen], larger[chosen], rng.uniform(0, 30 * 24, len(chosen)))


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    pairs, habits = draw_pairs(PEOPLE, PAIRS, SEED), draw_habits(SEED, np.zeros(PEOPLE))
    return Drawn(pairs, habits, draw_alone(pairs, habits, SEED))
