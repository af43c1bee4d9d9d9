"""What is refused of conversations, by reason."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.loaders.conversations.conversation_records import (
    ConversationRecord,
    MessageRecord,
    OutcomeRecord,
    ReportRecord,
)
from pipelines.loaders.conversations.conversation_refusals import MAX_BODY_LENGTH, check_conversations

MATCHED = datetime(2026, 1, 1, tzinfo=UTC)
LATER, END, NEVER = MATCHED + timedelta(days=1), MATCHED + timedelta(days=2), datetime.now(UTC) + timedelta(days=1)
CLOSED: dict[str, Any] = {"closed_at": END, "closed_by": "b", "closed_as": "blocked"}
GOOD = ConversationRecord("c", ("a", "b"), MATCHED)
MESSAGE = MessageRecord(1, "a", LATER, length=3)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"person_keys": ("a", "a")}, "conversation with oneself"),
        ({"person_keys": ("a", "b\0")}, "conversation with a NUL byte or a lone surrogate in a key"),
        ({"matched_at": NEVER}, "match or end in the future"),
        (CLOSED | {"closed_at": NEVER}, "match or end in the future"),
        (CLOSED | {"closed_at": MATCHED - timedelta(seconds=1)}, "conversation closed before its match"),
        ({"closed_as": "expired"}, "conversation closed without a moment or a reason"),
        ({"closed_at": END}, "conversation closed without a moment or a reason"),
        ({"closed_by": "a"}, "conversation closed without a moment or a reason"),
        (CLOSED | {"closed_as": "bored"}, "conversation closed as an unknown word"),
        (CLOSED | {"closed_by": "c"}, "conversation closed by a stranger"),
    ],
)
def test_a_conversation_is_refused_as_a_whole(changes: dict[str, Any], reason: str) -> None:
    bad = replace(GOOD, messages=[MESSAGE], **changes)
    other = replace(GOOD, key="other")
    assert check_conversations([bad, other, other]) == (
        [replace(other, messages=[], outcomes=[], reports=[])],
        Counter({reason: 1, "conversation seen before in this load": 1}),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender_key": "c"}, "message of somebody who is not in the conversation"),
        ({"kind": "song"}, "message of an unknown kind"),
        ({"sent_at": MATCHED - timedelta(microseconds=1)}, "message before the match"),
        ({"sent_at": END + timedelta(microseconds=1)}, "message after the end of the conversation"),
        ({"length": -1}, "message of an impossible length"),
        ({"length": 2**31}, "message of an impossible length"),
        ({"body": "hello"}, "text without both people's consent"),
        ({"number": 1}, "message seen before in this load"),
    ],
)
def test_a_message_is_refused_alone(changes: dict[str, Any], reason: str) -> None:
    bad = replace(MESSAGE, **({"number": 2} | changes))
    accepted, refused = check_conversations([replace(GOOD, messages=[MESSAGE, bad], **CLOSED)])
    assert [each.messages for each in accepted] == [[MESSAGE]]
    assert refused == Counter({reason: 1})


def test_texts_are_refused_if_they_cannot_be_stored() -> None:
    bodies = ["", "é" * MAX_BODY_LENGTH, "x" * (MAX_BODY_LENGTH + 1), "a\0", "\ud800"]
    messages = [replace(MESSAGE, number=number, body=body) for number, body in enumerate(bodies)]
    (kept,), refused = check_conversations([replace(GOOD, content_allowed=True, messages=messages)])
    assert [each.number for each in kept.messages] == [0, 1]
    assert refused == Counter(
        {"text longer than 10,000 characters": 1, "text of a message with a NUL byte or a lone surrogate": 2}
    )


def test_outcomes_and_reports_need_one_of_the_two_and_a_moment() -> None:
    outcomes = [
        OutcomeRecord("a", "met", LATER),
        OutcomeRecord("c", "met", LATER),
        OutcomeRecord("a", "kissed", LATER),
        OutcomeRecord("a", "met", NEVER),
    ]
    reports = [
        ReportRecord("b", "scam", LATER, 1),
        ReportRecord("c", "scam", LATER),
        ReportRecord("b", " ", LATER),
        ReportRecord("b", "scam", MATCHED - timedelta(days=1)),
    ]
    (kept,), refused = check_conversations([replace(GOOD, outcomes=outcomes, reports=reports)])
    assert (kept.outcomes, kept.reports) == (outcomes[:1], reports[:1])
    assert refused.total() == 6
