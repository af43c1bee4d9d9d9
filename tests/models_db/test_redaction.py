"""Errors that are kept for good name nobody. tests/pipelines/test_event_log.py has those of the database."""

import traceback
from uuid import UUID

import pytest

from models.db.errors import InputError
from models.db.redaction import redact

SOMEBODY = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.mark.parametrize("said", [SOMEBODY, SOMEBODY.upper(), UUID(SOMEBODY)])
def test_ids_are_taken_out_however_they_are_written(said: object) -> None:
    error = KeyError(said, 7)
    redact(error)
    assert error.args == ("…", 7)


def fail_of_it() -> None:
    try:
        _ = {"": ""}[SOMEBODY]
    except KeyError:
        raise ValueError(f"no place for {SOMEBODY}")  # noqa: B904 - so that the other is its context, not its cause


def fail_because_of_both() -> None:
    try:
        fail_of_it()
    except ValueError as error:
        raise InputError(f"{SOMEBODY} lives nowhere") from error


def test_causes_and_contexts_are_redacted_too() -> None:
    with pytest.raises(InputError) as raised:
        fail_because_of_both()
    redact(raised.value)
    shown = "".join(traceback.format_exception(raised.value))
    assert SOMEBODY not in shown
    assert [line for line in shown.splitlines() if "…" in line] == [
        "KeyError: '…'",
        "ValueError: no place for …",
        "models.db.errors.InputError: … lives nowhere",
    ]


def test_a_chain_that_is_a_circle_ends() -> None:
    first, second = ValueError(SOMEBODY), ValueError("what it came from")
    first.__cause__, second.__cause__ = second, first
    redact(first)
    assert str(first) == "…"
