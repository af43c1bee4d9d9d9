"""Steps that lose the database start again; what would fail again does not."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.db.errors import DatabaseUnavailable
from pipelines import resources
from pipelines.resources import RETRIES, DatabaseResource

END_OURSELVES = "SELECT pg_terminate_backend(pg_backend_pid())"


@pytest.fixture
def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatabaseResource:
    monkeypatch.setattr(resources, "SECONDS_TO_WAIT", 0)
    return DatabaseResource(home=str(tmp_path), url=database_url)


def execute(database: DatabaseResource, statement: str) -> None:
    with database.open_engine() as engine, engine.connect() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "error", "tries"),
    [
        (lambda number: END_OURSELVES if number == 1 else "SELECT 1", None, 2),
        (lambda _: END_OURSELVES, DatabaseUnavailable, RETRIES + 1),
        (lambda _: "SELECT 1 / 0", DBAPIError, 1),
        (lambda _: "SELECT * FROM matching.nothing", DatabaseUnavailable, 1),
    ],
)
def test_only_a_lost_server_is_tried_again(
    database: DatabaseResource, statement: Callable[[int], str], error: type[Exception] | None, tries: int
) -> None:
    begun: list[int] = []

    @dg.asset
    def asks(database: DatabaseResource) -> None:
        begun.append(len(begun) + 1)
        execute(database, statement(begun[-1]))

    if error is None:
        assert dg.materialize([asks], resources={"database": database}).success
    else:
        with pytest.raises(error):
            dg.materialize([asks], resources={"database": database})
    assert len(begun) == tries


def test_outside_of_a_step_nothing_is_tried_again(database: DatabaseResource) -> None:
    with pytest.raises(DatabaseUnavailable, match="terminating connection"):
        execute(database, END_OURSELVES)
