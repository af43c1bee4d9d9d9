"""The records of a conversation that sources provide, between people identified by source key."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("0b1f6a52-7f0e-5d0c-9a39-3f7d1c5be217")


@dataclass(frozen=True)
class MessageRecord:
    """One message. `sent_at` has a time zone.

    Attributes:
        number: Number in its conversation, which names it: the same number is the same message.
        sender_key: Source key of the sender.
        sent_at: When it was sent.
        kind: text, photo, voice or call.
        length: Characters of a text, seconds of the others; None if unknown.
        body: The text, only where both people agreed; None otherwise.
    """

    number: int
    sender_key: str
    sent_at: datetime
    kind: str = "text"
    length: int | None = None
    body: str | None = None


@dataclass(frozen=True)
class OutcomeRecord:
    """What a person told of a meeting: met, meet_again, not_met or together."""

    person_key: str
    kind: str
    answered_at: datetime


@dataclass(frozen=True)
class ReportRecord:
    """A report of one of the two about the other, of one message or of the person."""

    reporter_key: str
    reason: str
    created_at: datetime
    message_number: int | None = None


@dataclass(frozen=True)
class ConversationRecord:
    """A match of two people and what followed it. Moments have a time zone.

    Attributes:
        key: Names the conversation: the same key is the same conversation.
        person_keys: Source keys of the two.
        matched_at: When they matched.
        closed_at: When it was closed; None while it is open.
        closed_by: Source key of who closed it; None while it is open, or if nobody did.
        closed_as: unmatched, blocked, reported or expired; None while it is open.
        content_allowed: Whether both agreed that their words are counted.
        messages, outcomes, reports: What followed.
    """

    key: str
    person_keys: tuple[str, str]
    matched_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_as: str | None = None
    content_allowed: bool = False
    messages: Sequence[MessageRecord] = ()
    outcomes: Sequence[OutcomeRecord] = ()
    reports: Sequence[ReportRecord] = ()

    @property
    def conversation_id(self) -> UUID:
        """The id of its row."""
        return derive_conversation_id(self.key)


@dataclass(frozen=True)
class ConversationSource:
    """The conversations of one source.

    Attributes:
        conversations: The conversations.
        departures: Source keys of people who left the app with somebody: their profiles are paused.
        refused: What the source itself refused, by reason.
        notes: What else is to be said.
    """

    conversations: Sequence[ConversationRecord] = ()
    departures: Sequence[str] = ()
    refused: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()


NO_CONVERSATIONS = ConversationSource()


def derive_conversation_id(key: str) -> UUID:
    """Return the id of a conversation's row. It is the same on every machine, so that loads are idempotent."""
    return uuid5(NAMESPACE, key)


def derive_message_id(conversation_id: UUID, number: int) -> UUID:
    """Return the id of a message's row."""
    return uuid5(conversation_id, str(number))


def derive_report_id(conversation_id: UUID, index: int) -> UUID:
    """Return the id of a report's row, by its index among the reports of the conversation."""
    return uuid5(conversation_id, f"report {index}")
