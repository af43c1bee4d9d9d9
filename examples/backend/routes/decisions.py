"""Likes and passes, their undo, and impressions."""

import json
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, HTTPException, status
from pydantic import BaseModel, Field
from sqlalchemy import text

from examples.backend import statements
from examples.backend.dependencies import Transaction, Viewer

router = APIRouter()

Surface = Literal["list", "likes", "most_compatible", "similar"]

SELECT_TARGET = "SELECT target_id FROM app.interactions WHERE id = :decision AND actor_id = :viewer"
SELECT_CONVERSATION = """
SELECT id FROM app.conversations
WHERE person_a = least(:viewer, :candidate) AND person_b = greatest(:viewer, :candidate) AND closed_at IS NULL
"""
MAX_SECONDS_AGO = 7 * 86_400
"""A page that was asleep for longer does not know when it showed a card."""


class ShownCard(BaseModel):
    """A card of the page, as the TypeScript client's `toCard` makes it."""

    candidate_id: UUID
    publication_id: int | None
    position: Annotated[int, Field(ge=1)] | None


class NewDecision(ShownCard):
    """A like or a pass, and the card that it is about."""

    kind: Literal["like", "pass"]
    surface: Surface | None
    """Null: the page does not know, because it was opened by its address."""


class DecisionMade(BaseModel):
    """What a decision led to."""

    conversation_id: UUID | None
    """The conversation of a match; null: no match."""


class NewView(ShownCard):
    """A card that was on screen."""

    surface: Surface
    seconds_ago: Annotated[float, Field(ge=0, le=MAX_SECONDS_AGO)]


@router.put("/decisions/{decision}")
def add_decision(viewer: Viewer, transaction: Transaction, decision: UUID, made: NewDecision) -> DecisionMade:
    """Like or pass; a like of somebody who likes the viewer opens a conversation."""
    candidate = {"viewer": viewer, "candidate": made.candidate_id}
    transaction.execute(text(statements.LOCK_PAIR), candidate)
    card = made.model_dump(include={"kind", "publication_id", "position", "surface"})
    transaction.execute(text(statements.ADD_DECISION), candidate | card | {"decision": decision})
    if made.kind == "pass":
        return DecisionMade(conversation_id=None)
    shown_by = {"publication_id": made.publication_id}
    transaction.execute(text(statements.OPEN_CONVERSATION), candidate | shown_by)
    return DecisionMade(conversation_id=transaction.execute(text(SELECT_CONVERSATION), candidate).scalar())


@router.delete("/decisions/{decision}", status_code=status.HTTP_204_NO_CONTENT)
def undo_decision(viewer: Viewer, transaction: Transaction, decision: UUID) -> None:
    """Take a like or a pass back; 409 if it was a match, which ends by its conversation's end."""
    mine = {"viewer": viewer, "decision": decision}
    candidate = transaction.execute(text(SELECT_TARGET), mine).scalar()
    if candidate is None:
        return
    transaction.execute(text(statements.LOCK_PAIR), {"viewer": viewer, "candidate": candidate})
    if transaction.execute(text(statements.UNDO_DECISION), mine).rowcount == 0:
        raise HTTPException(status.HTTP_409_CONFLICT)


@router.post("/views", status_code=status.HTTP_204_NO_CONTENT)
def add_views(viewer: Viewer, transaction: Transaction, batch: Annotated[list[NewView], Field(max_length=100)]) -> None:
    """Write a batch of impressions."""
    cards = json.dumps([view.model_dump(mode="json") for view in batch])
    transaction.execute(text(statements.ADD_VIEWS), {"viewer": viewer, "batch": cards})
