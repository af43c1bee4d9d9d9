"""What became of conversations: known answers, and what is not known yet."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.ml.conversations.frames import FACT_TYPES, NOBODY_WROTE, NOT_READ, conform_frame
from models.ml.conversations.outcomes import LABELS, OUTCOME_TYPES, judge_outcomes

NOW = pd.Timestamp("2026-03-01", tz="UTC")
NO_ANSWERS: list[tuple[str, str]] = []


def judge(
    answers: list[tuple[str, str]] = NO_ANSWERS, *, days: float = 30, closed_h: float | None = None, **facts: object
) -> dict[str, Any]:
    """Judge one conversation that began so many days ago; hours count from its match."""
    matched_at = NOW - pd.Timedelta(days=days)
    row: dict[str, object] = {"conversation_id": "c", "person_a": "a", "person_b": "b", "matched_at": matched_at}
    closed_at = pd.NaT if closed_h is None else matched_at + pd.Timedelta(hours=closed_h)
    moments = {
        "closed_at": pd.DatetimeIndex([closed_at], tz="UTC"),
        "last_sent_at": pd.DatetimeIndex([pd.NaT], tz="UTC"),
    }
    known = pd.DataFrame([row | {**NOBODY_WROTE, **NOT_READ} | facts]).assign(**moments)
    frame = conform_frame(known.reindex(columns=list(FACT_TYPES)), FACT_TYPES)
    said = pd.DataFrame([("c", *each) for each in answers], columns=["conversation_id", "person_id", "kind"])
    outcome = judge_outcomes(frame, said, NOW)
    assert dict(outcome.dtypes.astype(str)) == dict(OUTCOME_TYPES)
    return dict(outcome.iloc[0])


def test_a_conversation_is_judged_after_fourteen_days_or_when_it_is_closed() -> None:
    for days, closed_h, mature in ((13.9, None, False), (14, None, True), (3, 30, True), (30, 500, True)):
        found = judge([("a", "met")], days=days, closed_h=closed_h, opener=0, opened_after_h=1, answered_after_h=1)
        assert found["mature"] == mature
        assert [pd.isna(found[name]) for name in ("opener", "answered_24h", "met")] == [not mature] * 3
        due = NOW - pd.Timedelta(days=days) + pd.Timedelta(hours=min(closed_h or np.inf, 14 * 24))
        assert found["matured_at"] == due


@pytest.mark.parametrize(
    ("facts", "day", "week"),
    [
        ({"opened_after_h": 5, "answered_after_h": 24}, 1, 1),
        ({"opened_after_h": 5, "answered_after_h": 25}, 0, 1),
        ({"opened_after_h": 5, "answered_after_h": 200}, 0, 0),
        ({"opened_after_h": 5}, 0, 0),
        ({"opened_after_h": 5, "closed_h": 10}, np.nan, np.nan),
        ({"opened_after_h": 5, "closed_h": 40}, 0, np.nan),
        ({"opened_after_h": 5, "answered_after_h": 1, "closed_h": 10}, 1, 1),
        ({"opened_after_h": 30 * 24 - 48}, 0, np.nan),
        ({}, np.nan, np.nan),
    ],
)
def test_an_answer_is_awaited_from_the_first_message_on(facts: dict[str, float], day: float, week: float) -> None:
    found = judge(**facts)  # type: ignore[arg-type]
    assert [found["answered_24h"], found["answered_7d"]] == pytest.approx([day, week], nan_ok=True)


@pytest.mark.parametrize(
    ("reached_5_after_h", "closed_h", "answers", "reached"),
    [
        (14 * 24, None, NO_ANSWERS, 1),
        (14 * 24 + 1, None, NO_ANSWERS, 0),
        (np.nan, None, NO_ANSWERS, 0),
        (np.nan, 10, NO_ANSWERS, 0),
        (5, 10, NO_ANSWERS, 1),
        (np.nan, 10, [("a", "met")], np.nan),
        (np.nan, None, [("a", "met")], 0),
        (np.nan, 10, [("a", "not_met")], 0),
    ],
)
def test_closing_decides_unless_the_pair_met(
    reached_5_after_h: float, closed_h: float | None, answers: list[tuple[str, str]], reached: float
) -> None:
    found = judge(answers, closed_h=closed_h, reached_5_after_h=reached_5_after_h)
    assert found["reached_5"] == pytest.approx(reached, nan_ok=True)


@pytest.mark.parametrize(
    ("answers", "met", "again"),
    [
        (NO_ANSWERS, np.nan, np.nan),
        ([("a", "not_met")], 0, np.nan),
        ([("a", "not_met"), ("b", "met")], 1, 0),
        ([("a", "met")], 1, 0),
        ([("a", "met"), ("a", "meet_again")], 1, np.nan),
        ([("a", "meet_again"), ("b", "together")], 1, 1),
        ([("a", "meet_again"), ("b", "met")], 1, 0),
    ],
)
def test_who_met_is_what_they_say(answers: list[tuple[str, str]], met: float, again: float) -> None:
    found = judge(answers)
    assert [found["met"], found["meet_again"]] == pytest.approx([met, again], nan_ok=True)


def test_words_that_were_not_read_are_not_known() -> None:
    assert [judge(contact=value)["contact"] for value in (0, 1)] == [0, 1]
    assert np.isnan(judge(contact=-1)["contact"])


def test_no_conversation_makes_no_row() -> None:
    nothing = conform_frame(pd.DataFrame(columns=list(FACT_TYPES)), FACT_TYPES)
    said = pd.DataFrame(columns=["conversation_id", "person_id", "kind"])
    found = judge_outcomes(nothing, said, NOW)
    assert len(found) == 0
    assert {*LABELS} < {*found}
