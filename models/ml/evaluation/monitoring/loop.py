"""How the loop goes: matches so far, likes that wait, lists that run short, and newcomers' first matches."""

import numpy as np

from models.ml.arrays import BoolArray, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.kernels.code_lookup import find_codes

SHORT_LIST = 12
"""A list with fewer candidates is short: a user looks at about as many in one visit."""
NEWCOMER_DAYS = (3, 14)
"""Newcomers have been there for so many days, from the first to the last."""


def measure_loop(
    decisions: Decisions, viewer: Int64Array, candidate: Int64Array, observed_days: Int64Array, since: int
) -> dict[str, float]:
    """Measure the loop as of tonight, for n users.

    Args:
        decisions: The last decision of each user about each other one.
        viewer: The viewer of each listed pair, int64 (k,).
        candidate: The candidate of each listed pair, int64 (k,).
        observed_days: Days since each user's first, int64 (n,).
        since: Beginning of the last day, in the unit of the decisions' time.

    Returns:
        matches: pairs in which both like each other.
        matches_last_day: those whose second like is not before `since`.
        with_match: share of users with a match.
        likes_waiting: likes whose receiver has not decided on the sender.
        short_lists: share of users with fewer than SHORT_LIST candidates.
        refusals_listed: listed candidates who passed on the viewer.
        newcomers_matched: share of newcomers with a match; left out without newcomers.
    """
    people = len(observed_days)
    code, back = decisions.actor * people + decisions.target, decisions.target * people + decisions.actor
    answer = find_codes(back, code)
    answered = answer >= 0
    mutual = answered & decisions.liked & decisions.liked[answer]
    second = np.maximum(decisions.time, decisions.time[answer])[mutual]
    matched = np.bincount(decisions.actor[mutual], minlength=people) > 0
    passed = code[~decisions.liked]
    figures: dict[str, float] = {
        "matches": int(mutual.sum()) // 2,
        "matches_last_day": int((second >= since).sum()) // 2,
        "with_match": _compute_share(matched),
        "likes_waiting": int((decisions.liked & ~answered).sum()),
        "short_lists": _compute_share(np.bincount(viewer, minlength=people) < SHORT_LIST),
        "refusals_listed": int((find_codes(candidate * people + viewer, passed) >= 0).sum()),
    }
    new = (observed_days >= NEWCOMER_DAYS[0]) & (observed_days <= NEWCOMER_DAYS[1])
    return figures | ({"newcomers_matched": _compute_share(matched[new])} if new.any() else {})


def _compute_share(those: BoolArray) -> float:
    return float(those.mean()) if len(those) else 0.0
