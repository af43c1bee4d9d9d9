"""The record between the market policy and the database. Standard library only, so that `models.ml` may make it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MostCompatible:
    """The viewer's one partner of the day: p_match in [0, 1], and reasons as those of a candidate of the list."""

    candidate_id: str
    p_match: float
    reasons: Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class MatchList:
    """One viewer's candidates, best first; the sequences are of one length, and all three probabilities in [0, 1].

    `reasons` holds for each candidate the reasons to show, each a mapping with the keys `code` and `detail`.
    """

    viewer_id: str
    candidate_ids: Sequence[str]
    p_like: Sequence[float]
    p_liked_back: Sequence[float]
    p_match: Sequence[float]
    reasons: Sequence[Sequence[Mapping[str, object]]]
    most_compatible: MostCompatible | None = None
    """On the list or not; None if there is none today."""
