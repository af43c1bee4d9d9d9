"""The reasons for which conversations and their messages are refused, as texts without personal values.

A conversation that breaks a rule is refused with all its messages; a message that does is refused alone.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from models.db.schema.profile_limits import MAX_WORD_LENGTH
from models.db.schema.tables.conversations import CLOSED_AS, MESSAGE_KINDS, OUTCOME_KINDS
from pipelines.loaders.conversations.conversation_records import (
    ConversationRecord,
    MessageRecord,
    OutcomeRecord,
    ReportRecord,
)

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
MAX_BODY_LENGTH = 10_000
MAX_LENGTH = 2**31 - 1


def _ends_before_it_begins(each: ConversationRecord, _now: datetime) -> bool:
    return each.closed_at is not None and each.closed_at < each.matched_at


def _is_half_closed(each: ConversationRecord, _now: datetime) -> bool:
    """Whether moment and kind of the end do not go together, or somebody closed what is open."""
    return (each.closed_at is None) != (each.closed_as is None) or (each.closed_at is None and bool(each.closed_by))


CONVERSATION_REFUSALS: dict[str, Callable[[ConversationRecord, datetime], bool]] = {
    "conversation with oneself": lambda each, _: each.person_keys[0] == each.person_keys[1],
    "conversation with a NUL byte or a lone surrogate in a key": lambda each, _: bool(
        UNSTORABLE.search("".join([each.key, *each.person_keys]))
    ),
    "match or end in the future": lambda each, now: max(each.matched_at, each.closed_at or each.matched_at) > now,
    "conversation closed before its match": _ends_before_it_begins,
    "conversation closed without a moment or a reason": _is_half_closed,
    "conversation closed as an unknown word": lambda each, _: each.closed_as not in (None, *CLOSED_AS),
    "conversation closed by a stranger": lambda each, _: each.closed_by not in (None, *each.person_keys),
}
MESSAGE_REFUSALS: dict[str, Callable[[MessageRecord, ConversationRecord, datetime], bool]] = {
    "message of somebody who is not in the conversation": lambda each, of, _: each.sender_key not in of.person_keys,
    "message of an unknown kind": lambda each, _of, _: each.kind not in MESSAGE_KINDS,
    "message before the match": lambda each, of, _: each.sent_at < of.matched_at,
    "message after the end of the conversation": lambda each, of, _: bool(of.closed_at and each.sent_at > of.closed_at),
    "message in the future": lambda each, _of, now: each.sent_at > now,
    "message of an impossible length": lambda each, _of, _: not 0 <= (each.length or 0) <= MAX_LENGTH,
    "text without both people's consent": lambda each, of, _: each.body is not None and not of.content_allowed,
    f"text longer than {MAX_BODY_LENGTH:,} characters": lambda each, _of, _: len(each.body or "") > MAX_BODY_LENGTH,
    "text of a message with a NUL byte or a lone surrogate": lambda each, _of, _: bool(
        UNSTORABLE.search(each.body or "")
    ),
}


def _find_outcome_refusal(outcome: OutcomeRecord, of: ConversationRecord, now: datetime) -> str | None:
    if outcome.person_key not in of.person_keys or outcome.kind not in OUTCOME_KINDS:
        return "outcome of a stranger or of an unknown kind"
    return None if of.matched_at <= outcome.answered_at <= now else "outcome before the match or in the future"


def _find_report_refusal(report: ReportRecord, of: ConversationRecord, now: datetime) -> str | None:
    if report.reporter_key not in of.person_keys:
        return "report of a stranger"
    if not report.reason.strip() or UNSTORABLE.search(report.reason) or len(report.reason) > MAX_WORD_LENGTH:
        return f"report without a reason of 1 to {MAX_WORD_LENGTH} characters"
    return None if of.matched_at <= report.created_at <= now else "report before the match or in the future"


def check_conversations(conversations: Iterable[ConversationRecord]) -> tuple[list[ConversationRecord], Counter[str]]:
    """Find the conversations, messages, outcomes and reports that can be loaded if their people exist.

    Returns:
        The accepted conversations, each key once, without what is refused of them; and the refusals by reason.
    """
    now = datetime.now(UTC)
    seen: set[str] = set()
    accepted, refused = [], Counter[str]()
    for each in conversations:
        reason = _find_conversation_refusal(each, seen, now)
        if reason is None:
            seen.add(each.key)
            accepted.append(_check_rows(each, now, refused))
        else:
            refused[reason] += 1
    return accepted, refused


def _find_conversation_refusal(each: ConversationRecord, seen: set[str], now: datetime) -> str | None:
    if each.key in seen:
        return "conversation seen before in this load"
    return next((reason for reason, applies in CONVERSATION_REFUSALS.items() if applies(each, now)), None)


def _check_rows(each: ConversationRecord, now: datetime, refused: Counter[str]) -> ConversationRecord:
    """Return the conversation without the rows that are refused, and count those."""
    numbers: set[int] = set()

    def find_message_refusal(message: MessageRecord) -> str | None:
        if message.number in numbers:
            return "message seen before in this load"
        numbers.add(message.number)
        return next((why for why, applies in MESSAGE_REFUSALS.items() if applies(message, each, now)), None)

    def keep(reason: str | None) -> bool:
        refused.update([reason] if reason else [])
        return reason is None

    return replace(
        each,
        messages=[row for row in each.messages if keep(find_message_refusal(row))],
        outcomes=[row for row in each.outcomes if keep(_find_outcome_refusal(row, each, now))],
        reports=[row for row in each.reports if keep(_find_report_refusal(row, each, now))],
    )
