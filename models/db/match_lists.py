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
    likes_ids: Sequence[str] = ()
    """Senders of likes that wait for the viewer's decision, the viewer's favourite first.

    Empty while likes are secret.
    """
    likes_p_like: Sequence[float] = ()
    """Probability that the viewer likes each sender."""
    likes_p_match: Sequence[float] = ()
    """p_match of each sender, as on a list: it does not count the like itself."""
    likes_reasons: str = "[]"
    """A JSON array that holds an array of {code, detail} for each sender."""

    propensities: Sequence[float] = ()
    """Probability that the candidate of each position stands there, above 0 to 1; empty where nothing was random."""

    @property
    def is_list(self) -> bool:
        """Whether the record counts as a list. One with nothing but withheld users or pending likes does not."""
        return bool(len(self.candidate_ids)) or not (len(self.withheld_ids) or len(self.likes_ids))
