"""Inboxes: what each like that comes in is worth, where the stronger ones are looked at first."""

import numpy as np

from models.ml.compiled import by_parts, compiled
from models.ml.market.examination import Doubles
from models.ml.market.town import Flags, Ints, Slots, Town
from models.ml.people import Floats


def matches(town: Town, likes: Floats, answers: Doubles) -> Floats:
    """The probability that each like comes about and is answered, float32 (n,) by slot.

    `likes`, float32 (n,) by slot, are the probabilities that the viewer likes the candidate from their list: p_like
    times the look at the place. `answers`, float64 (depth + 1,), is how much an inbox is looked at below k stronger
    likes, and below more than `depth` as below that many. Exact where likes are independent: the number of stronger
    ones is Poisson-binomial.
    """
    found = np.zeros_like(likes)

    def part(first: int, last: int) -> None:
        _matches(first, last, town.inbox_start, town.p_liked_back, likes, answers, found)

    by_parts(part, town.inbox_start)
    return found


def worth(town: Town, likes: Floats, matched: Floats, answers: Doubles, viewers: Flags) -> Floats:
    """What one look of some viewers, bool (people,), at each pair adds to the town's expected distinct matches.

    float32 (n,) by slot, 0 for other viewers. It is p_like times the like's own chance to be answered less what it
    takes from the weaker likes of the same inbox; a match that comes about by the other's list anyway, with the
    probability `matched` of the pair's mate, counts once. This is the derivative of the town's matches by the looks.
    They are linear in the looks of one viewer, but for rivals met in two inboxes whose match is in both their lists.
    """
    found = np.zeros_like(likes)
    pairs = (town.viewer, town.mate, town.p_like, town.p_liked_back)

    def part(first: int, last: int) -> None:
        _worth(first, last, town.inbox_start, *pairs, likes, matched, answers, viewers, found)

    by_parts(part, town.inbox_start)
    return found


def distinct(town: Town, matched: Floats) -> float:
    """The expected number of two people who match, by one list or the other: a + b - ab."""
    return _distinct(matched, town.mate)


@compiled
def _distinct(matched: Floats, mate: Slots) -> float:
    total = 0.0
    for slot in range(len(matched)):
        total += matched[slot]
        if mate[slot] > slot:
            total -= matched[slot] * matched[mate[slot]]
    return total


@compiled
def _matches(
    first: int, last: int, inbox_start: Ints, p_liked_back: Floats, likes: Floats, answers: Doubles, found: Floats
) -> None:
    stronger = np.empty(len(answers))
    for person in range(first, last):
        top, end = inbox_start[person], inbox_start[person + 1]
        most, reach = _most(likes[top:end], len(answers) - 1), 0
        stronger[0] = 1.0
        for slot in range(top, end):
            if likes[slot] > 0:
                found[slot] = likes[slot] * _answered(stronger, reach, p_liked_back[slot], answers)
                reach = _one_more(stronger, reach, most, likes[slot])


@compiled
def _most(likes: Floats, depth: int) -> int:
    """How many likes need to be told apart, at most `depth`: practically never more come in."""
    mean, some = 0.0, 0
    for like in likes:
        mean += like
        some += like > 0
    return min(some, int(mean + 4 * np.sqrt(mean)) + 6, depth)


@compiled
def _answered(stronger: Doubles, reach: int, p_liked_back: float, answers: Doubles) -> float:
    """The probability of an answer, given the distribution of the number of stronger likes up to `reach`."""
    total = stronger[0] * min(p_liked_back * answers[0], 1.0)
    for k in range(1, reach + 1):
        total += stronger[k] * p_liked_back * answers[k]
    return float(total)


@compiled
def _one_more(stronger: Doubles, reach: int, most: int, like: float) -> int:
    """Count one more like into the distribution of their number, `most` or more being one state; its new reach."""
    if reach < most:
        reach += 1
        stronger[reach] = 0.0
    stronger[reach] += like * stronger[reach - 1]
    for k in range(reach - 1, 0, -1):
        stronger[k] += like * (stronger[k - 1] - stronger[k])
    stronger[0] -= like * stronger[0]
    return reach


@compiled
def _worth(
    first: int,
    last: int,
    inbox_start: Ints,
    viewer: Slots,
    mate: Slots,
    p_like: Floats,
    p_liked_back: Floats,
    likes: Floats,
    matched: Floats,
    answers: Doubles,
    viewers: Flags,
    found: Floats,
) -> None:
    for person in range(first, last):
        told = _told(inbox_start[person], inbox_start[person + 1], viewer, likes, viewers)
        asked = viewers[viewer[told]]
        if asked.any():
            single = np.ones(len(told))
            for place, other in enumerate(mate[told]):
                if other >= 0:
                    single[place] -= matched[other]
            gain, loss = _effects(asked, p_liked_back[told], likes[told], single, answers)
            found[told] = p_like[told] * (gain * single - loss)


@compiled
def _told(start: int, end: int, viewer: Slots, likes: Floats, viewers: Flags) -> Ints:
    """The slots of an inbox that are asked for or may be liked: no others change anything."""
    slots, count = np.empty(end - start, np.int64), 0
    for slot in range(start, end):
        slots[count] = slot
        count += viewers[viewer[slot]] or likes[slot] > 0
    return slots[:count]


@compiled
def _effects(
    asked: Flags, p_liked_back: Floats, likes: Floats, single: Doubles, answers: Doubles
) -> tuple[Doubles, Doubles]:
    """What a like at each place asked for brings, and what it takes from the weaker ones, who match but by it."""
    most = _most(likes, len(answers) - 1)
    stronger, reaches = _stronger(asked, likes, most)
    gain, loss = np.zeros(len(likes)), np.zeros(len(likes))
    # The matches of the weaker likes given k stronger ones, "most or more" being one state.
    weaker = np.zeros(most + 2)
    row, left = len(reaches), (likes > 0).sum()
    for place in range(len(likes) - 1, -1, -1):
        if asked[place]:
            row -= 1
            gain[place] = _answered(stronger[row], reaches[row], p_liked_back[place], answers)
            for k in range(reaches[row] + 1):
                loss[place] += stronger[row, k] * (weaker[k] - weaker[k + 1])
        if likes[place] > 0:
            left -= 1
            like, here = likes[place], single[place] * p_liked_back[place]
            weaker[0] += like * (single[place] * min(p_liked_back[place] * answers[0], 1.0) + weaker[1] - weaker[0])
            # Up to one more than can be stronger: somebody who is asked for and not liked yet may be that one.
            for k in range(1, min(left + 1, most) + 1):
                weaker[k] += like * (here * answers[k] + weaker[k + 1] - weaker[k])
            weaker[most + 1] = weaker[most]
    return gain, loss


@compiled
def _stronger(asked: Flags, likes: Floats, most: int) -> tuple[Doubles, Ints]:
    """The distribution of the number of stronger likes at each place asked for, and how far each reaches."""
    found, reaches = np.empty((asked.sum(), most + 1)), np.empty(asked.sum(), np.int64)
    now, reach, row = np.zeros(most + 1), 0, 0
    now[0] = 1.0
    for place in range(len(likes)):
        if asked[place]:
            for k in range(reach + 1):  # a slice assigned takes longer than all the rest
                found[row, k] = now[k]
            reaches[row] = reach
            row += 1
        if likes[place] > 0:
            reach = _one_more(now, reach, most, likes[place])
    return found, reaches
