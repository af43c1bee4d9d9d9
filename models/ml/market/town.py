"""Scored pairs laid out for the market: everybody's inbox in the order of own preference, linked to the lists."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.ml.compiled import by_parts, compiled
from models.ml.market.order import sort_inboxes
from models.ml.people import Floats
from models.ml.ties import mixed

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Values = TypeVar("Values", Slots, Floats)


@dataclass(frozen=True)
class Town:
    """n pairs by slot: grouped by candidate, in each inbox whom the candidate likes best first.

    `pair` is the input's row of a slot; `slots` the slots by viewer; `inbox_start` and `list_start` bound each person's
    part of them, int64 (people + 1,); `mate` is the slot of the same two people the other way round, or -1;
    `keys` settle ties, uint64 (people,).
    """

    viewer: Slots
    candidate: Slots
    p_like: Floats
    p_liked_back: Floats
    pair: Slots
    mate: Slots
    slots: Slots
    inbox_start: Ints
    list_start: Ints
    keys: Keys


def town(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: NDArray[np.floating],
    p_liked_back: NDArray[np.floating],
    keys: Keys | None = None,
) -> Town:
    """Lay out n scored pairs, in any order, each (viewer, candidate) once: positions and probabilities (n,).

    `keys`, uint64 (people,), settle ties: hashes of ids, or of positions where none are given.
    """
    if keys is None:
        last = int(max(viewer.max(initial=-1), candidate.max(initial=-1)))
        keys = mixed(np.arange(1, last + 2, dtype=np.uint64))
    people = (viewer.astype(np.int32), candidate.astype(np.int32))
    return _laid_out(*people, p_like.astype(np.float32), p_liked_back.astype(np.float32), keys)


def _laid_out(viewer: Slots, candidate: Slots, p_like: Floats, p_liked_back: Floats, keys: Keys) -> Town:
    inbox_start, list_start = _starts(candidate, len(keys)), _starts(viewer, len(keys))
    lists = _grouped(_grouped(np.arange(len(viewer), dtype=np.int32), candidate, inbox_start), viewer, list_start)
    inboxes = _grouped(lists, candidate, inbox_start)
    pair = _sorted(inboxes, inbox_start, viewer, p_liked_back, keys)
    slot = np.empty_like(pair)
    slot[pair] = np.arange(len(pair), dtype=np.int32)
    return Town(
        taken(viewer, pair, inbox_start),
        np.repeat(np.arange(len(keys), dtype=np.int32), np.diff(inbox_start)),
        taken(p_like, pair, inbox_start),
        taken(p_liked_back, pair, inbox_start),
        pair,
        _mates(inboxes, lists, viewer, candidate, inbox_start, list_start, slot),
        taken(slot, lists, list_start),
        inbox_start,
        list_start,
        keys,
    )


def taken(values: Values, rows: Slots, start: Ints) -> Values:
    """The values of the rows, on all cores."""
    found = np.empty(len(rows), values.dtype)

    def part(first: int, last: int) -> None:
        own = slice(start[first], start[last])
        found[own] = values[rows[own]]

    by_parts(part, start)
    return found


def _sorted(inboxes: Slots, inbox_start: Ints, viewer: Slots, p_liked_back: Floats, keys: Keys) -> Slots:
    """The rows of each inbox in the order of its owner's preference."""
    pair = inboxes.copy()

    def part(first: int, last: int) -> None:
        sort_inboxes(first, last, pair, inbox_start, viewer, p_liked_back, keys)

    by_parts(part, inbox_start)
    return pair


def _mates(
    inboxes: Slots, lists: Slots, viewer: Slots, candidate: Slots, inbox_start: Ints, list_start: Ints, slot: Slots
) -> Slots:
    """The slot of each slot's reverse, or -1, from inboxes in order of viewer and lists in order of candidate."""
    mate = np.full_like(slot, -1)

    def part(first: int, last: int) -> None:
        _find_mates(first, last, inboxes, lists, viewer, candidate, inbox_start, list_start, slot, mate)

    by_parts(part, list_start)
    return mate


def _starts(person: Slots, people: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(person, minlength=people))])


@compiled
def _grouped(rows: Slots, person: Slots, start: Ints) -> Slots:
    """The rows by person, in the order given within each: a counting sort, where argsort would take seconds."""
    free, found = start.copy(), np.empty_like(rows)
    for row in rows:
        found[free[person[row]]] = row
        free[person[row]] += 1
    return found


@compiled
def _find_mates(
    first: int,
    last: int,
    inboxes: Slots,
    lists: Slots,
    viewer: Slots,
    candidate: Slots,
    inbox_start: Ints,
    list_start: Ints,
    slot: Slots,
    mate: Slots,
) -> None:
    """One merge a person, of whom they are shown and who is shown them."""
    for person in range(first, last):
        own = lists[list_start[person] : list_start[person + 1]]
        inbox = inboxes[inbox_start[person] : inbox_start[person + 1]]
        others, viewers, shown, by = candidate[own], viewer[inbox], 0, 0
        while shown < len(own) and by < len(inbox):
            other, one = others[shown], viewers[by]
            if other == one:
                mate[slot[own[shown]]] = slot[inbox[by]]
            shown, by = shown + (other <= one), by + (one <= other)
