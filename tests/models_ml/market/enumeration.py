"""Every single thing that can happen in a tiny town, with its probability: the other way to count matches."""

from collections.abc import Iterator, Sequence
from itertools import product

Pair = tuple[int, int]
# Viewer, candidate, p_like, p_liked_back, place.
Row = tuple[int, int, float, float, int]


def outcomes(rows: Sequence[Row], lists: Sequence[float], inbox: Sequence[float]) -> Iterator[tuple[float, set[Pair]]]:
    """The probability of each course of events, and the couples (unordered) that it brings together."""
    listed = [row for row in rows if row[4] > 0]
    sending = [min(1.0, p_like * lists[place - 1]) for _, _, p_like, _, place in listed]
    for sent in product([False, True], repeat=len(listed)):
        arrived = [row for row, is_sent in zip(listed, sent, strict=True) if is_sent]
        answering = [
            min(1.0, back * inbox[_rank(arrived, viewer, receiver)]) for viewer, receiver, _, back, _ in arrived
        ]
        for answered in product([False, True], repeat=len(arrived)):
            matched = {
                (min(row[:2]), max(row[:2])) for row, is_answered in zip(arrived, answered, strict=True) if is_answered
            }
            yield _chance(sending, sent) * _chance(answering, answered), matched


def _rank(arrived: Sequence[Row], viewer: int, receiver: int) -> int:
    """From 0, among the likes that the receiver got, by how welcome they are; no two may be equally so."""
    inbox = sorted((row for row in arrived if row[1] == receiver), key=lambda row: -row[3])
    assert len({row[3] for row in inbox}) == len(inbox)
    return [row[0] for row in inbox].index(viewer)


def _chance(probabilities: Sequence[float], happened: Sequence[bool]) -> float:
    chance = 1.0
    for probability, did in zip(probabilities, happened, strict=True):
        chance *= probability if did else 1 - probability
    return chance
