"""The days after: people look through the likes they have received, and decide.

On each day that a user opens the app, they look at the likes that wait, newest first: the one at place k with
probability 1/k, as in simulated nights. Who is looked at is liked or passed by the choice model.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Int64Array
from models.ml.kernels.grouping import count_earlier
from pipelines.loaders.simulation.choice_model import compute_p_like
from pipelines.loaders.simulation.simulated_exposure import DAY, Impressions
from pipelines.loaders.simulation.simulated_population import REFERENCE_TIME, SimulatedPopulation, make_random_stream

SECONDS_A_LIKE = 20
LONGEST_VISIT = 4 * 60 * 60


@dataclass(frozen=True)
class DecisionArrays:
    """k decisions: who decided on whom, when (seconds since 1970 UTC), and how; arrays of shape (k,)."""

    viewer: Int64Array
    candidate: Int64Array
    decided_at: Int64Array
    liked: BoolArray

    def take(self, rows: BoolArray | Int64Array) -> "DecisionArrays":
        """Return these decisions."""
        return DecisionArrays(*(vars(self)[name][rows] for name in DecisionArrays.__dataclass_fields__))


def join_decisions(parts: Iterable[DecisionArrays]) -> DecisionArrays:
    """Join decisions in their order."""
    empty = (np.empty(0, np.int64),) * 3
    columns = zip(*(vars(each).values() for each in (DecisionArrays(*empty, np.empty(0, bool)), *parts)), strict=True)
    return DecisionArrays(*map(np.concatenate, columns))


def join_impressions(parts: Iterable[tuple[Impressions, BoolArray]]) -> DecisionArrays:
    """Join what was decided on impressions."""
    return join_decisions(
        DecisionArrays(impressions.viewer, impressions.candidate, impressions.seen_at, liked)
        for impressions, liked in parts
    )


def simulate_inbox(population: SimulatedPopulation, decided: DecisionArrays, days: int) -> DecisionArrays:
    """Simulate what people decide on the likes that wait for them, on the days from REFERENCE_TIME.

    Args:
        population: The people.
        decided: All decisions before REFERENCE_TIME.
        days: Number of days. More days repeat what fewer bring, and add to it.

    Returns:
        The decisions, in order of days.
    """
    rng, waiting = make_random_stream(population.seed, population.people, 8), find_waiting(decided, population.people)
    found = []
    for day in range(days):
        opens = rng.random(population.people) < population.activity
        second = rng.integers(0, DAY - LONGEST_VISIT, population.people)
        luck = rng.random((2, len(waiting.viewer)))
        # Who has waited longest comes last; a like that is decided makes room.
        place = count_earlier(waiting.viewer) + 1
        seen = opens[waiting.viewer] & (luck[0] * place < 1)
        now = int(REFERENCE_TIME.timestamp()) + DAY * day + second[waiting.viewer] + SECONDS_A_LIKE * (place - 1)
        liked = luck[1] < compute_p_like(population, waiting.viewer, waiting.candidate)
        found.append(DecisionArrays(waiting.viewer, waiting.candidate, now, liked).take(seen))
        waiting = waiting.take(~seen)
    return join_decisions(found)


def find_waiting(decided: DecisionArrays, people: int) -> DecisionArrays:
    """Find the likes without an answer, seen from the receiver: viewer is the receiver; by receiver, newest first."""
    likes = decided.take(decided.liked)
    answered = np.isin(likes.candidate * people + likes.viewer, decided.viewer * people + decided.candidate)
    open_likes = likes.take(~answered)
    turned = DecisionArrays(open_likes.candidate, open_likes.viewer, open_likes.decided_at, open_likes.liked)
    return turned.take(np.lexsort((turned.candidate, -turned.decided_at, turned.viewer)))


def find_mutual_likes(decided: DecisionArrays, people: int) -> DecisionArrays:
    """Find who like each other: viewer is the smaller number, decided_at the later of both likes; ordered by pair."""
    likes = decided.take(decided.liked)
    smaller, larger = np.minimum(likes.viewer, likes.candidate), np.maximum(likes.viewer, likes.candidate)
    order = np.lexsort((likes.decided_at, larger, smaller))
    pair, sorted_likes = (smaller * people + larger)[order], likes.take(order)
    later = np.flatnonzero(pair[1:] == pair[:-1]) + 1
    mutual = sorted_likes.take(later)
    return DecisionArrays(
        np.minimum(mutual.viewer, mutual.candidate),
        np.maximum(mutual.viewer, mutual.candidate),
        mutual.decided_at,
        mutual.liked,
    )
