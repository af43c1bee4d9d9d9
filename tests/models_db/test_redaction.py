"""Errors that are kept for good name nobody, and still say what went wrong."""

import traceback
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from models.db.errors import InputError
from models.db.redaction import redact

SOMEBODY = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool, hide_parameters=True)


def told(error: BaseException) -> str:
    redact(error)
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("said", [SOMEBODY, SOMEBODY.upper(), UUID(SOMEBODY)])
def test_ids_are_taken_out_however_they_are_written(said: object) -> None:
    error = KeyError(said, 7)
    redact(error)
    assert error.args == ("…", 7)


def fail() -> None:
    raise KeyError(SOMEBODY)


def fail_of_it() -> None:
    try:
        fail()
    except KeyError:
        raise ValueError(f"no place for {SOMEBODY}")  # noqa: B904 - so that the other is its context, not its cause


def fail_because_of_both() -> None:
    try:
        fail_of_it()
    except ValueError as error:
        raise InputError(f"{SOMEBODY} lives nowhere") from error


def test_causes_and_what_was_being_handled_are_redacted_too() -> None:
    with pytest.raises(InputError) as raised:
        fail_because_of_both()
    shown = told(raised.value)
    assert SOMEBODY not in shown
    assert [line for line in shown.splitlines() if "…" in line] == [
        "KeyError: '…'",
        "ValueError: no place for …",
        "models.db.errors.InputError: … lives nowhere",
    ]


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError(SOMEBODY), ValueError("what it came from")
    first.__cause__, second.__cause__ = second, first
    redact(first)
    assert str(first) == "…"


def test_rows_that_the_database_quotes_are_taken_out(engine: Engine) -> None:
    liked = "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (:who, :who, 'like')"
    with pytest.raises(IntegrityError) as raised, engine.begin() as connection:
        connection.execute(text(liked), {"who": SOMEBODY})
    assert "DETAIL" in str(raised.value)
    shown = told(raised.value)
    assert "violates" in shown
    assert not any(word in shown for word in ("DETAIL", SOMEBODY, SOMEBODY[:8]))
    assert isinstance(raised.value.orig, Exception)
    assert raised.value.orig.sqlstate == "23514"  # type: ignore[attr-defined] # psycopg's


def test_ids_in_a_first_line_are_taken_out(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as raised, engine.connect() as connection:
        connection.execute(text("SELECT CAST(:who AS uuid)"), {"who": f"x{SOMEBODY}"})
    shown = told(raised.value)
    assert 'invalid input syntax for type uuid: "x…"' in shown
    assert SOMEBODY not in shown
