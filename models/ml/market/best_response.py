"""Best response with externality: lists that bring matches without taking them from others."""

from collections.abc import Iterator

import numpy as np

from models.ml.compiled import by_parts, compiled
from models.ml.market.attention import Attention
from models.ml.market.inbox import distinct, matches, worth
from models.ml.market.lists import like, likes, place, places
from models.ml.market.town import Flags, Slots, Town
from models.ml.people import Floats
from models.ml.ties import mixed

# Viewers whose lists change at the same time must be few, or all run to the same people at once.
BLOCKS = 8
# In a small market a pass is so cheap that viewers can take turns one by one: pairs looked at in a sweep, at most.
WORK = 10_000_000
SWEEPS = 3
# A sweep that adds less than this share is the last.
ENOUGH = 1e-4


def best_response(town: Town, attention: Attention, start: Floats, sweeps: int = SWEEPS) -> Floats:
    """Scores of pairs, float32 (n,) by slot, whose lists bring the town many expected distinct matches.

    Viewers sort, in turns, by what a look at a candidate adds to the matches of the whole town: the own chance less
    the loss of weaker rivals in the same inbox (`worth`). That is the best answer to the lists of all others, so with
    turns of one viewer the town's matches never fall; with larger blocks they may, and the best sweep counts. It begins
    with the lists by `start`, float32 (n,). What is climbed is the social welfare of Su, Bayoumi & Joachims (WWW 2022),
    who climb it by gradients over doubly stochastic matrices.
    """
    scores, placed = start.copy(), places(town, start, attention.length)
    best, most = start, expected(town, attention, placed)
    for number in range(sweeps):
        sweep(town, attention, scores, placed, number)
        now = expected(town, attention, placed)
        if now > most:
            best = scores.copy()
        if now < most * (1 + ENOUGH):
            break
        most = now
    return best


def expected(town: Town, attention: Attention, placed: Slots) -> float:
    """The distinct matches that lists can expect, with the inbox hedged as `attention` says."""
    return distinct(town, matches(town, likes(town, placed, attention.looks()), attention.answers()))


def sweep(
    town: Town, attention: Attention, scores: Floats, placed: Slots, number: int, prices: Floats | None = None
) -> None:
    """Let everybody sort anew once, in random blocks, another order each `number`; writes to `scores` and `placed`.

    `prices`, float32 (people,), in matches a look, are taken off the scores of candidates.
    """
    looks, answers = attention.looks(), attention.answers()
    liked = likes(town, placed, looks)
    for viewers in _turns(town, number):
        value = worth(town, liked, matches(town, liked, answers), answers, viewers)
        if prices is not None:
            value -= prices[town.candidate]
        _take_over(town, value, viewers, scores)
        place(town, scores, viewers, attention.length, placed)
        like(town, placed, looks, viewers, liked)


def _take_over(town: Town, value: Floats, viewers: Flags, scores: Floats) -> None:
    """Write the values of some viewers' pairs to their scores."""

    def part(first: int, last: int) -> None:
        slots = slice(town.inbox_start[first], town.inbox_start[last])
        _copy(town.viewer[slots], value[slots], viewers, scores[slots])

    by_parts(part, town.inbox_start)


@compiled
def _copy(viewer: Slots, value: Floats, viewers: Flags, scores: Floats) -> None:
    for slot in range(len(viewer)):
        if viewers[viewer[slot]]:
            scores[slot] = value[slot]


def _turns(town: Town, number: int) -> Iterator[Flags]:
    """Blocks of viewers in random order: bool (people,) each."""
    viewers = np.flatnonzero(np.diff(town.list_start))
    order = viewers[np.argsort(mixed(town.keys[viewers] + mixed(np.full(1, number + 1, np.uint64))))]
    blocks = max(BLOCKS, WORK // max(len(town.pair), 1))
    for block in np.array_split(order, min(blocks, len(order))) if len(order) else []:
        turn = np.zeros(len(town.keys), bool)
        turn[block] = True
        yield turn
