"""The records that the market policy passes to the database. Only the standard library, so `models.ml` can use them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class MostCompatibleEntry:
    """The viewer's most compatible candidate, with p_match in [0, 1] and a JSON array of {code, detail} as reasons."""

    candidate_id: str
    p_match: float
    reasons: str


@dataclass(frozen=True)
class MatchList:
    """One viewer's candidates, best first. The sequences have the same length, and probabilities are in [0, 1].

    `reasons` is stored as it is: a JSON array that holds an array of {code, detail} for each candidate.
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
    """Users who are not shown to the viewer while the publication is live, because they had passed on the viewer.

    A record without candidates may hold nothing else.
    """
