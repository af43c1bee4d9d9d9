"""What the outcome head learns from: matches with their moments, their outcome, and what was known before them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.conversations.head.past_rates import PastOutcomes, collect_outcomes
from models.ml.profiles.id_lookup import find_positions

GOES_ON = "reached_5"
"""The label: both have sent five messages within 14 days of the match."""
ANSWERED = "answered_7d"
OUTCOMES = (GOES_ON, ANSWERED)
"""The outcomes whose past rates are features."""
RECENT = np.timedelta64(14, "D")
"""How long a match counts as recent, and a conversation without a message as open."""


@dataclass(frozen=True)
class MatchSample:
    """n matches in order of time.

    Attributes:
        person: Numbers of the two people, int64 (n, 2).
        moment: When they matched, int64 (n,), in one unit with `known_at`.
        known_at: When the outcome is known, int64 (n,).
        outcome: Whether the conversation went on, 1 or 0, float64 (n,); NaN: not known.
        context: What else was known before each match, float64 (n, f); it must not depend on which person is first.
    """

    person: Int64Array
    moment: Int64Array
    known_at: Int64Array
    outcome: Float64Array
    context: Float64Array

    def __len__(self) -> int:
        """Return the number of matches."""
        return len(self.moment)

    @property
    def known(self) -> BoolArray:
        """Which outcomes are known, (n,)."""
        return ~np.isnan(self.outcome)

    def take(self, rows: Int64Array | BoolArray) -> "MatchSample":
        """Return the matches of these rows, in this order."""
        return replace(self, **{name: getattr(self, name)[rows] for name in vars(self)})


def number_people(outcomes: pd.DataFrame, ids: pd.Index) -> Int64Array:
    """Return the positions in `ids` of both people of each conversation, int64 (n, 2), -1 for strangers."""
    return np.column_stack([find_positions(outcomes[name], ids) for name in ("person_a", "person_b")]).astype(np.int64)


def settle(outcomes: pd.DataFrame) -> Int64Array:
    """Return when each outcome counts as known, in nanoseconds, int64 (n,): RECENT after the match, also if closed.

    Closed conversations are known earlier, and mostly ended badly: of the last days only those would be known.
    """
    return to_nanoseconds(outcomes["matched_at"] + pd.Timedelta(RECENT))


def collect_past(outcomes: pd.DataFrame, person: Int64Array, silent: BoolArray) -> Mapping[str, PastOutcomes]:
    """Collect what is known of people's conversations, by outcome.

    Args:
        outcomes: The frame `conversation_outcomes`.
        person: Positions of both people of each conversation, int64 (n, 2), -1 for strangers.
        silent: Who has opted out, bool (people,): nothing of their past is collected.
    """
    sides, moments = person.T.ravel(), np.tile(settle(outcomes), 2)
    counted = (sides >= 0) & ~silent[sides] & np.tile(outcomes["mature"].to_numpy(bool), 2)
    return {
        name: collect_outcomes(
            sides[counted], moments[counted], np.tile(outcomes[name].to_numpy(np.float64), 2)[counted]
        )
        for name in OUTCOMES
    }


def build_sample(outcomes: pd.DataFrame, person: Int64Array, p_like_log_odds: Float64Array, now: int) -> MatchSample:
    """Build the sample of settled matches between two known people, in order of time.

    Args:
        outcomes: The frame `conversation_outcomes`.
        person: Positions of both people of each conversation, int64 (n, 2), -1 for strangers.
        p_like_log_odds: Log odds that each of the two likes the other, from profiles alone, float64 (n, 2).
        now: The moment, in nanoseconds.
    """
    moment = to_nanoseconds(outcomes["matched_at"])
    recent = count_recent_matches(person, moment, to_nanoseconds(outcomes["matured_at"]), person, moment)
    label, settled_at = outcomes[GOES_ON].to_numpy(np.float64), settle(outcomes)
    label = np.where(outcomes["mature"].to_numpy(bool) & (settled_at <= now), label, np.nan)
    sample = MatchSample(person, moment, settled_at, label, build_context(p_like_log_odds, recent))
    rows = np.flatnonzero((person >= 0).all(axis=1) & sample.known)
    return sample.take(rows[np.argsort(moment[rows], kind="stable")])


def build_context(p_like_log_odds: Float64Array, recent: Float64Array) -> Float64Array:
    """Build the features of n pairs beside past rates, float64 (n, 3), the same whichever person is first.

    Args:
        p_like_log_odds: Log odds that each of the two likes the other, (n, 2).
        recent: Number of recent matches of each of the two, (n, 2).

    Returns:
        Log of p_match, how far the two directions differ in log odds, and the logs of recent matches together.
    """
    log_p = -np.logaddexp(0.0, -p_like_log_odds)
    gap = np.abs(p_like_log_odds[:, 0] - p_like_log_odds[:, 1])
    return np.column_stack([log_p.sum(axis=1), gap, np.log1p(recent).sum(axis=1)])


def count_recent_matches(
    person: Int64Array, matched_at: Int64Array, ended_at: Int64Array, who: Int64Array, moment: Int64Array
) -> Float64Array:
    """Count the earlier matches of people that were RECENT and not ended at moments, float64 as `who`.

    Args:
        person: Both people of each match, int64 (n, 2), -1 for strangers.
        matched_at: When they matched, in nanoseconds, int64 (n,).
        ended_at: When the match is mature, at most RECENT later, or closed, int64 (n,).
        who: The people to count for, int64 (k, 2).
        moment: The moment of each count, int64 (k,).
    """
    sides, found = person.T.ravel(), np.zeros(who.shape)
    known = sides >= 0
    begun, over = (
        collect_outcomes(sides[known], np.tile(at, 2)[known], np.ones(int(known.sum())))
        for at in (matched_at, ended_at)
    )
    for side in range(who.shape[1]):
        # A match at the moment itself is not earlier.
        started, _ = begun.count(who[:, side], moment - 1)
        ended, _ = over.count(who[:, side], moment - 1)
        found[:, side] = started - ended
    return found


def to_nanoseconds(times: "pd.Series[pd.Timestamp]") -> Int64Array:
    """Return moments as nanoseconds since 1970, int64 (n,)."""
    return np.asarray(pd.DatetimeIndex(times).as_unit("ns").asi8, np.int64)
