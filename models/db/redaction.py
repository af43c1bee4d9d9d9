"""Removal of personal data from errors. Dagster and the table of publications keep the errors they record for good."""

import re
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import DBAPIError

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def redact(error: BaseException) -> None:
    """Remove ids from an error and its causes, and all but the first line from database errors.

    The other lines of database errors quote rows. Types, causes, SQLSTATEs and stacks stay.
    """
    for each in _iterate_chain(error):
        of_database = isinstance(each, psycopg.Error | DBAPIError)
        each.args = tuple(_redact_part(str(part).partition("\n")[0] if of_database else part) for part in each.args)


def _redact_part(part: object) -> object:
    """Return the part unchanged unless it contains an id."""
    return ID.sub("…", str(part)) if ID.search(str(part)) else part


def _iterate_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error, its causes and its contexts, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        if (each := waiting.pop()) is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
