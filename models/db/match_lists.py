"""The record between the market policy and the database. Standard library only, so that `models.ml` may make it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MostCompatibleEntry:
    """The viewer's one partner of the day: p_match in [0, 1], and reasons as those of a candidate of the list, JSON."""

    candidate_id: str
    p_match: float
    reasons: str


@dataclass(frozen=True)
class MatchList:
    """One viewer's candidates, best first; the sequences are of one length, and all three probabilities in [0, 1].

    `reasons` is JSON, as it is stored: an array that holds for each candidate an array of {code, detail}.
    """

    viewer_id: str
    candidate_ids: Sequence[str]
    p_like: Sequence[float]
    p_liked_back: Sequence[float]
    p_match: Sequence[float]
    reasons: str
    most_compatible: MostCompatibleEntry | None = None
    """On the list or not; None if there is none today."""
    withheld_ids: Sequence[str] = ()
    """Who is not shown to the viewer while the publication is live: the people who had passed on them. A record without
    candidates may hold nothing but these."""
