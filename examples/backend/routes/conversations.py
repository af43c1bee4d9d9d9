"""Messages, the consent to count their words, and the end of a conversation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, status
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import text

from examples.backend import statements
from examples.backend.dependencies import Transaction, Viewer

router = APIRouter(prefix="/conversations/{conversation}")

SELECT_MINE = """
SELECT content_allowed,
       EXISTS (SELECT FROM example_app.consents AS given
               WHERE given.conversation_id = conversation.id AND given.person_id = :viewer) AS i_agree
FROM app.conversations AS conversation
WHERE id = :conversation AND :viewer IN (person_a, person_b) AND closed_as IS DISTINCT FROM 'blocked'
"""
SELECT_MESSAGES = """
SELECT message.id, message.sender_id = :viewer AS mine, message.sent_at, words.body
FROM app.messages AS message LEFT JOIN example_app.words AS words ON words.message_id = message.id
WHERE message.conversation_id = :conversation ORDER BY message.sent_at DESC, message.id DESC LIMIT 200
"""
KEEP_WORDS = """
INSERT INTO example_app.words (message_id, body)
SELECT id, :body FROM app.messages
WHERE id = :message AND conversation_id = :conversation AND sender_id = :viewer
ON CONFLICT (message_id) DO UPDATE SET body = words.body RETURNING message_id
"""
# One of the two at a time: otherwise neither sees that the other agrees.
LOCK_CONVERSATION = "SELECT FROM app.conversations WHERE id = :conversation FOR UPDATE"
AGREE = """
INSERT INTO example_app.consents (conversation_id, person_id) VALUES (:conversation, :viewer) ON CONFLICT DO NOTHING
"""
WITHDRAW = "DELETE FROM example_app.consents WHERE conversation_id = :conversation AND person_id = :viewer"
COUNT_CONSENTS = "SELECT count(*) = 2 FROM example_app.consents WHERE conversation_id = :conversation"


class SentMessage(BaseModel):
    """A message; its words are null if it was simulated."""

    id: UUID
    mine: bool
    sent_at: datetime
    body: str | None


class Thread(BaseModel):
    """The newest messages of a conversation, in their order, and the consent to count words."""

    messages: list[SentMessage]
    i_agree: bool
    both_agree: bool


class NewMessage(BaseModel):
    """What the viewer writes."""

    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]


class Consent(BaseModel):
    """Whether the viewer agrees that words are counted."""

    agree: Annotated[bool, Field(strict=True)]


def find_mine(viewer: Viewer, transaction: Transaction, conversation: UUID) -> dict[str, object]:
    """Return the parameters of the statements, or answer 404 if the conversation is not the viewer's."""
    mine: dict[str, object] = {"viewer": viewer, "conversation": conversation}
    if transaction.execute(text(SELECT_MINE), mine).one_or_none() is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return mine


Mine = Annotated[dict[str, object], Depends(find_mine)]


@router.get("/messages")
def read_thread(transaction: Transaction, mine: Mine) -> Thread:
    """Return the newest messages, and who agrees."""
    both_agree, i_agree = transaction.execute(text(SELECT_MINE), mine).one()
    rows = transaction.execute(text(SELECT_MESSAGES), mine).mappings().all()
    messages = [SentMessage.model_validate(row) for row in reversed(rows)]
    return Thread(messages=messages, i_agree=i_agree, both_agree=both_agree)


@router.put("/messages/{message}", status_code=status.HTTP_204_NO_CONTENT)
def add_message(transaction: Transaction, mine: Mine, message: UUID, written: NewMessage) -> None:
    """Send a message; 409 if the conversation is over. Its words are for matching only where both agree."""
    values = mine | {"message": message, "body": written.body, "length": len(written.body)}
    transaction.execute(text(statements.ADD_MESSAGE), values)
    if transaction.execute(text(KEEP_WORDS), values).one_or_none() is None:
        raise HTTPException(status.HTTP_409_CONFLICT)
    transaction.execute(text(statements.ADD_MESSAGE_TEXT), values)


@router.put("/consent", status_code=status.HTTP_204_NO_CONTENT)
def set_consent(transaction: Transaction, mine: Mine, consent: Consent) -> None:
    """Agree that words are counted from now on, or withdraw, which removes those that were kept for it."""
    transaction.execute(text(LOCK_CONVERSATION), mine)
    transaction.execute(text(AGREE if consent.agree else WITHDRAW), mine)
    both = transaction.execute(text(COUNT_CONSENTS), mine).scalar_one()
    transaction.execute(text(statements.SET_CONTENT_ALLOWED), mine | {"both": both})
    if not both:
        transaction.execute(text(statements.DELETE_MESSAGE_TEXTS), mine)


@router.post("/close", status_code=status.HTTP_204_NO_CONTENT)
def close_conversation(transaction: Transaction, mine: Mine) -> None:
    """End the conversation, for both."""
    transaction.execute(text(statements.CLOSE_CONVERSATION), mine)
