"""What became of a conversation: answered, going on, a way to reach each other given, met.

Labels are known once a conversation is mature: MATURE_DAYS after the match, or when it was closed. Conversations of
erased people are gone, and so are in no frame.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array
from models.ml.conversations.frames import ID, MOMENT, conform_frame

MATURE_DAYS = 14
"""Days after the match at which labels are read. A conversation in which both wrote 5 messages by then goes on."""
DAY_H, WEEK_H = 24.0, 7 * 24.0
LABELS = ("opener", "answered_24h", "answered_7d", "reached_5", "reached_20", "contact", "met", "meet_again")
OUTCOME_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("conversation_id", "person_a", "person_b"), ID),
    "matched_at": MOMENT,
    "matured_at": MOMENT,
    "mature": "bool",
    **dict.fromkeys(LABELS, "float64"),
}
"""The frame of outcomes. Labels are 1, 0, or nan if not known."""
# What an answer says about a meeting, and about a wish to meet again. "Together" says both.
MET, NOT_MET, WISHES = ("met", "meet_again", "together"), "not_met", ("meet_again", "together")


def judge_outcomes(facts: pd.DataFrame, answers: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Judge each conversation at a moment.

    `opener` is 1 if anybody wrote. `answered_24h` and `answered_7d` ask whether the other person wrote within a day or
    week of the first message; closing before then leaves them unknown, and so does silence of both. `reached_5` and
    `reached_20` ask whether both sent so many messages within MATURE_DAYS of the match. Closing decides them, unless
    the pair met: what they write elsewhere is not known. `contact` is unknown if words were not read. `met` is 1 if
    either says so, and 0 if somebody says the contrary and nobody does. `meet_again` is 1 if both want to, and 0 if one
    of those who met did not.

    Args:
        facts: The frame of facts (`models.ml.conversations.frames.FACT_TYPES`).
        answers: Columns conversation_id, person_id and kind: what people answered.
        now: The moment, with time zone.

    Returns:
        A frame of OUTCOME_TYPES, one row for each conversation, in the order of `facts`.
    """
    due = facts["matched_at"] + pd.Timedelta(days=MATURE_DAYS)
    matured_at = facts["closed_at"].where(facts["closed_at"] < due, due)
    mature = (matured_at <= now).to_numpy(np.bool_)
    met, meet_again = _judge_meetings(facts, answers)
    closed_early = (facts["closed_at"] < due).to_numpy(np.bool_)
    moved = closed_early & (met == 1)
    labels = {
        "opener": (facts["opener"] >= 0).to_numpy(np.float64),
        "answered_24h": _judge_answer(facts, DAY_H, now),
        "answered_7d": _judge_answer(facts, WEEK_H, now),
        "reached_5": _judge_reached(facts["reached_5_after_h"], moved),
        "reached_20": _judge_reached(facts["reached_20_after_h"], moved),
        "contact": facts["contact"].replace(-1, np.nan).to_numpy(np.float64),
        "met": met,
        "meet_again": meet_again,
    }
    known = {name: np.where(mature, values, np.nan) for name, values in labels.items()}
    return conform_frame(facts.assign(matured_at=matured_at, mature=mature, **known), OUTCOME_TYPES)


def _judge_answer(facts: pd.DataFrame, within_h: float, now: pd.Timestamp) -> Float64Array:
    after_h = facts["answered_after_h"].to_numpy(np.float64)
    end = facts["closed_at"].where(facts["closed_at"] < now, now)
    opened_h = facts["opened_after_h"].to_numpy(np.float64)
    watched_h = ((end - facts["matched_at"]).dt.total_seconds() / 3600).to_numpy(np.float64) - opened_h
    known = (after_h <= within_h) | (watched_h >= within_h)
    return np.where(known, after_h <= within_h, np.nan)


def _judge_reached(after_h: pd.Series, moved: BoolArray) -> Float64Array:
    """Judge whether so many messages were sent in time; `moved` are pairs who may write elsewhere."""
    reached = (after_h <= MATURE_DAYS * 24).to_numpy(np.bool_)
    return np.where(moved & ~reached, np.nan, reached.astype(np.float64))


def _judge_meetings(facts: pd.DataFrame, answers: pd.DataFrame) -> tuple[Float64Array, Float64Array]:
    """Judge who met, and who wants to meet again: 1, 0 or nan, float64 (n,) each, in the order of `facts`."""
    said = answers.assign(met=answers["kind"].isin(MET), wishes=answers["kind"].isin(WISHES))
    person = said.groupby(["conversation_id", "person_id"])[["met", "wishes"]].max()
    pair = person.groupby("conversation_id").agg(met=("met", "max"), people=("met", "sum"))
    # Of those who say that they met.
    wishes = person[person["met"]].groupby("conversation_id")["wishes"].agg(["min", "sum"])
    found = pair.join(wishes).reindex(facts["conversation_id"])
    met = np.asarray(found["met"].astype("float64"), np.float64)
    wanted = np.select([found["min"].eq(False), found["sum"].ge(2)], [0.0, 1.0], np.nan)
    return met, np.asarray(wanted, np.float64)
