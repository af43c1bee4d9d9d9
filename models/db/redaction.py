"""Errors that name nobody: whatever records an error, Dagster or the table of publications, keeps it for good."""

import re
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import DBAPIError

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def redact(error: BaseException) -> None:
    """Take ids out of what an error and its causes say, and of a database's error all but its first line.

    The lines that follow that one quote rows. Kinds, causes, SQLSTATEs and stacks stay.
    """
    for each in _iterate_chain(error):
        of_database = isinstance(each, psycopg.Error | DBAPIError)
        each.args = tuple(_redact_part(str(part).partition("\n")[0] if of_database else part) for part in each.args)


def _redact_part(part: object) -> object:
    """The part itself, unless there is an id in it."""
    return ID.sub("…", str(part)) if ID.search(str(part)) else part


def _iterate_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and what it was raised during the handling of, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        if (each := waiting.pop()) is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
