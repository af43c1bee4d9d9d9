"""Lists from scores: each viewer's pairs, best first, and the likes that come of them."""

import numpy as np

from models.ml.compiled import by_parts, compiled
from models.ml.market.examination import Doubles
from models.ml.market.order import make_lists
from models.ml.market.town import Flags, Ints, Slots, Town
from models.ml.people import Floats


def places(town: Town, scores: Floats, length: int) -> Slots:
    """Each pair's place in its viewer's list of at most `length`, from 0, int32 (n,) by slot; -1 where it has none.

    Lists are in the order of `scores`, float32 (n,) by slot, best first, equal ones by lot.
    """
    found = np.full(len(scores), -1, np.int32)
    place(town, scores, np.ones(len(town.keys), bool), length, found)
    return found


def place(town: Town, scores: Floats, viewers: Flags, length: int, found: Slots) -> None:
    """Make the lists of some viewers, bool (people,), anew: as `places`, written over theirs."""

    def part(first: int, last: int) -> None:
        make_lists(first, last, town.list_start, town.slots, town.candidate, town.keys, scores, viewers, length, found)

    by_parts(part, town.list_start)


def likes(town: Town, placed: Slots, looks: Doubles) -> Floats:
    """The probability that each pair's viewer likes the candidate from their list, float32 (n,) by slot.

    p_like times the look at the place, at most 1; `looks`, float64, by place.
    """
    found = np.empty_like(town.p_like)
    like(town, placed, looks, np.ones(len(town.keys), bool), found)
    return found


def like(town: Town, placed: Slots, looks: Doubles, viewers: Flags, found: Floats) -> None:
    """What some viewers, bool (people,), like from their lists: as `likes`, written over theirs."""
    by_place = np.append(looks, 0.0).astype(np.float32)  # place -1 is the last: not listed, not looked at

    def part(first: int, last: int) -> None:
        slots = slice(town.inbox_start[first], town.inbox_start[last])
        _like(town.viewer[slots], town.p_like[slots], placed[slots], by_place, viewers, found[slots])

    by_parts(part, town.inbox_start)


@compiled
def _like(viewer: Slots, p_like: Floats, placed: Slots, by_place: Floats, viewers: Flags, found: Floats) -> None:
    for slot in range(len(viewer)):
        if viewers[viewer[slot]]:
            found[slot] = min(p_like[slot] * by_place[placed[slot]], np.float32(1))


def listed(town: Town, placed: Slots) -> Ints:
    """The input's rows that make the lists, int64, by viewer, best first."""
    shown = town.slots[placed[town.slots] >= 0]
    order = np.lexsort((placed[shown], town.viewer[shown]))
    return town.pair[shown[order]].astype(np.int64)
