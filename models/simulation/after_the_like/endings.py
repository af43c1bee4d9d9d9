"""How conversations end: silence, a person who unmatches, blocks or reports, a match that expires."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from models.ml.arrays import Float64Array, Int64Array
from models.simulation.after_the_like.exchanges import MatchedPairs, SentMessages
from models.simulation.after_the_like.purposes import CLOSER, CLOSING, CLOSING_AFTER, OFFENDED
from models.simulation.after_the_like.topics import INSULTS, SCAMS
from models.simulation.luck import draw_uniform

OPEN, UNMATCHED, BLOCKED, REPORTED, EXPIRED = range(5)
CLOSINGS = (None, "unmatched", "blocked", "reported", "expired")
"""The words of `app.conversations.closed_as`, by code."""
EXPIRY_HOURS = 14 * 24.0
"""A match in which nobody writes expires after these hours."""
SILENCE_SHARES = (0.22, 0.012, 0.002)
"""Shares of conversations that somebody ends after the last message: unmatched, blocked, reported."""
SILENCE_HOURS, SILENCE_SD = 5 * 24.0, 1.0
OFFENCE_SHARES = (0.1, 0.25, 0.45)
"""The same among those to whom an insult or a scam was sent."""
OFFENCE_HOURS = 2.0
BY_WHO_WAITS = 0.5
"""Share of those who end a silent conversation who had written last."""


@dataclass(frozen=True)
class Endings:
    """How k conversations end.

    Attributes:
        closed_at: Hours, inf for never, float64 (k,).
        closed_as: Index in CLOSINGS, int64 (k,).
        closed_by: 0 for a, 1 for b, -1 for nobody, int64 (k,).
    """

    closed_at: Float64Array
    closed_as: Int64Array
    closed_by: Int64Array

    def close_by_leaving(self, left_at: Float64Array) -> "Endings":
        """Close as unmatched what is still open when somebody leaves.

        Args:
            left_at: Hours at which a and b leave, inf for never, (k, 2).
        """
        side, first = left_at.argmin(axis=1), left_at.min(axis=1)
        earlier = first < self.closed_at
        return Endings(
            np.where(earlier, first, self.closed_at),
            np.where(earlier, UNMATCHED, self.closed_as),
            np.where(earlier, side, self.closed_by),
        )

    def censor(self, until: float) -> "Endings":
        """Leave open what would be closed after a moment."""
        later = self.closed_at > until
        closed_at = np.where(later, np.inf, self.closed_at)
        return Endings(closed_at, np.where(later, OPEN, self.closed_as), np.where(later, -1, self.closed_by))


def draw_endings(matches: MatchedPairs, messages: SentMessages, said: Int64Array, seed: int) -> Endings:
    """Draw how conversations end, an offence before silence; nothing is censored yet.

    Args:
        matches: k pairs.
        messages: All their messages, sorted by conversation and number.
        said: What each says, see `topics`, (m,).
        seed: Seed of the luck.
    """
    silent = _end_silence(matches, messages, seed)
    offence = (said == INSULTS) | (said == SCAMS)
    offended = _end_offence(matches, messages.take(offence), seed)
    first = offended.closed_at < silent.closed_at
    return Endings(
        *(np.where(first, vars(offended)[name], vars(silent)[name]) for name in Endings.__dataclass_fields__)
    )


def _end_silence(matches: MatchedPairs, messages: SentMessages, seed: int) -> Endings:
    count = np.bincount(messages.conversation, minlength=len(matches.a))
    last = np.cumsum(count)[count > 0] - 1
    since, side = matches.matched_at.copy(), np.zeros(len(count), np.int64)
    since[count > 0], side[count > 0] = messages.sent_at[last], messages.side[last]
    ended = _choose(draw_uniform(seed, CLOSING, matches.a, matches.b), SILENCE_SHARES)
    wait = SILENCE_HOURS * np.exp(SILENCE_SD * ndtri(draw_uniform(seed, CLOSING_AFTER, matches.a, matches.b)))
    waiting = draw_uniform(seed, CLOSER, matches.a, matches.b) < BY_WHO_WAITS
    closed_at = np.where(ended == OPEN, np.inf, since + wait)
    expires = (count == 0) & (closed_at > matches.matched_at + EXPIRY_HOURS)
    return Endings(
        np.where(expires, matches.matched_at + EXPIRY_HOURS, closed_at),
        np.where(expires, EXPIRED, ended),
        np.where(expires | (ended == OPEN), -1, np.where(waiting, side, 1 - side)),
    )


def _end_offence(matches: MatchedPairs, offences: SentMessages, seed: int) -> Endings:
    """End conversations after their first offence, by whom it was sent to."""
    k = len(matches.a)
    closed_at, closed_as, closed_by = np.full(k, np.inf), np.full(k, OPEN), np.full(k, -1)
    conversation, first = np.unique(offences.conversation, return_index=True)
    a, b = matches.a[conversation], matches.b[conversation]
    ended = _choose(draw_uniform(seed, OFFENDED, a, b), OFFENCE_SHARES)
    wait = OFFENCE_HOURS * np.exp(SILENCE_SD * ndtri(draw_uniform(seed, OFFENDED, a, b, 1)))
    closed_at[conversation] = np.where(ended == OPEN, np.inf, offences.sent_at[first] + wait)
    closed_as[conversation] = ended
    closed_by[conversation] = np.where(ended == OPEN, -1, 1 - offences.side[first])
    return Endings(closed_at, closed_as, closed_by)


def _choose(luck: Float64Array, shares: tuple[float, ...]) -> Int64Array:
    """Choose UNMATCHED, BLOCKED, REPORTED by these shares, else OPEN, int64 (k,)."""
    place = np.searchsorted(np.cumsum(shares), luck, side="right")
    return np.where(place < len(shares), place + 1, OPEN).astype(np.int64)
