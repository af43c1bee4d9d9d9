"""What people do on a day: who opens the app, how far they look, whom they like.

On each day a person opens the app with their own probability. They look down their list with a budget of cards,
geometric with mean MEAN_BUDGET, and like or pass each card that they look at. Then they look through the likes that
the app shows them, in its order: place k with probability 1/k.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, FloatArray, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.luck import BUDGET, CLOCK, INBOX, OPENING, draw_uniform
from models.simulation.world import World

MEAN_BUDGET = 12
LIST, LIKES = 0, 1
"""Surfaces: where a card was seen."""

SECONDS_A_CARD = 20
LONGEST_VISIT = 4 * 60 * 60


@dataclass(frozen=True)
class Cards:
    """k cards as shown: who sees whom, at which position from 1, each (k,); sorted by viewer, then by position."""

    viewer: Int64Array
    candidate: Int64Array
    position: Int64Array

    def take(self, rows: BoolArray) -> "Cards":
        """Return the cards of these rows."""
        return Cards(self.viewer[rows], self.candidate[rows], self.position[rows])


NO_CARDS = Cards(*(np.empty(0, np.int64),) * 3)


@dataclass(frozen=True)
class NightLists:
    """The lists of a night, what was said of each card, and the likes that people are shown."""

    cards: Cards
    p_match: FloatArray
    """Probability of a match as the cards say it, (k,)."""
    likes: Cards
    """The likes received that wait; none where likes are secret."""
    scored: ScoredPairs | None = None
    """All scored candidates of the night; None if they were not scored."""


@dataclass(frozen=True)
class CardViews:
    """k cards that people looked at and decided on, on a day, each (k,)."""

    cards: Cards
    surface: Int64Array
    second: Int64Array
    """Second of the day."""
    liked: BoolArray


def find_openers(world: World, day: int) -> BoolArray:
    """Find who opens the app on a day, bool (n,)."""
    opens = draw_uniform(world.seed, OPENING, np.arange(world.people), day) < world.opening_rate
    return opens & world.find_present(day)


def look_through(world: World, day: int, openers: BoolArray, lists: Cards, likes: Cards) -> CardViews:
    """Let people look at their lists, then at the likes they received, and decide."""
    budget = _draw_budgets(world, day)
    listed = lists.take(openers[lists.viewer] & (lists.position <= budget[lists.viewer]))
    look = draw_uniform(world.seed, INBOX, likes.viewer, likes.candidate, day) * likes.position < 1
    received = likes.take(openers[likes.viewer] & look)
    pair = listed.viewer * world.people + listed.candidate
    received = received.take(~np.isin(received.viewer * world.people + received.candidate, pair))
    return _decide(world, day, listed, received)


def _draw_budgets(world: World, day: int) -> Int64Array:
    """Draw how many cards of the list each person looks at, geometric with mean MEAN_BUDGET, int64 (n,)."""
    luck = draw_uniform(world.seed, BUDGET, np.arange(world.people), day)
    return np.asarray(np.ceil(np.log(luck) / np.log1p(-1 / MEAN_BUDGET)), np.int64)


def _decide(world: World, day: int, listed: Cards, received: Cards) -> CardViews:
    viewer = np.concatenate([listed.viewer, received.viewer])
    candidate = np.concatenate([listed.candidate, received.candidate])
    cards = Cards(viewer, candidate, np.concatenate([listed.position, received.position]))
    return CardViews(
        cards,
        surface=np.repeat([LIST, LIKES], [len(listed.viewer), len(received.viewer)]),
        second=_draw_opening_second(world, day)[viewer] + SECONDS_A_CARD * count_earlier(viewer),
        liked=world.draw_likes(viewer, candidate),
    )


def _draw_opening_second(world: World, day: int) -> Int64Array:
    luck = draw_uniform(world.seed, CLOCK, np.arange(world.people), day)
    return (luck * (24 * 60 * 60 - LONGEST_VISIT)).astype(np.int64)
