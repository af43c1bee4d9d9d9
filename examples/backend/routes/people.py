"""Who is there to sign in as, the sign-in, and what a user sets of their own: pause and blocks."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, status
from pydantic import BaseModel, Field
from sqlalchemy import text

from examples.backend import statements
from examples.backend.dependencies import Transaction, Viewer
from models.db.tokens import issue_token

router = APIRouter()

SESSION = timedelta(hours=24)
DEMO_PEOPLE = 24
# Real people are never listed, and nobody can sign in as one.
SELECT_PEOPLE = """
SELECT id, display_name AS name, extract(year FROM age(birth_date))::int AS age, paused FROM app.profiles
WHERE source_key LIKE 'simulated:%'
"""
FIRST_PEOPLE = f"{SELECT_PEOPLE} ORDER BY length(source_key), source_key LIMIT {DEMO_PEOPLE}"


class DemoPerson(BaseModel):
    """A simulated person."""

    id: UUID
    name: str
    age: int
    paused: bool


class SignIn(BaseModel):
    """Who signs in."""

    person_id: UUID


class Session(BaseModel):
    """A token of the matching API, and of this backend."""

    token: str


class Pause(BaseModel):
    """Whether the user is paused."""

    paused: Annotated[bool, Field(strict=True)]


@router.get("/people")
def list_people(transaction: Transaction) -> list[DemoPerson]:
    """Return the first simulated people, to choose one of."""
    return [DemoPerson.model_validate(row) for row in transaction.execute(text(FIRST_PEOPLE)).mappings()]


@router.post("/sign-in")
def sign_in(request: Request, transaction: Transaction, person: SignIn) -> Session:
    """Sign in as a simulated person, without a password; 404 for anybody else."""
    found = _find_person(transaction, person.person_id)
    return Session(token=issue_token(request.state.settings, found.id, SESSION))


@router.get("/me")
def read_me(viewer: Viewer, transaction: Transaction) -> DemoPerson:
    """Return who is signed in."""
    return _find_person(transaction, viewer)


def _find_person(transaction: Transaction, person: UUID) -> DemoPerson:
    row = transaction.execute(text(f"{SELECT_PEOPLE} AND id = :person"), {"person": person}).mappings().one_or_none()
    if row is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return DemoPerson.model_validate(row)


@router.put("/me/paused", status_code=status.HTTP_204_NO_CONTENT)
def set_paused(viewer: Viewer, transaction: Transaction, pause: Pause) -> None:
    """Pause the user, or end the pause. The API knows at the next request."""
    transaction.execute(text(statements.SET_PAUSED), {"viewer": viewer, "paused": pause.paused})


@router.put("/blocks/{candidate}", status_code=status.HTTP_204_NO_CONTENT)
def block_candidate(viewer: Viewer, transaction: Transaction, candidate: UUID) -> None:
    """Block somebody, and end the conversation with them."""
    both = {"viewer": viewer, "candidate": candidate}
    for statement in (statements.LOCK_PAIR, statements.ADD_BLOCK, statements.CLOSE_BLOCKED):
        transaction.execute(text(statement), both)
