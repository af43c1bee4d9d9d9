"""Steps that lose the database begin anew; what would fail again does not."""

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


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "SECONDS_TO_WAIT", 0)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> DatabaseResource:
    return DatabaseResource(home=str(tmp_path), url=database_url)


def tries(database: DatabaseResource, statement: Callable[[int], str], *, fails: type[Exception] | None = None) -> int:
    """How often a step that executes a statement, given the number of the try, was begun."""
    begun: list[int] = []

    @dg.asset
    def asks(database: DatabaseResource) -> None:
        begun.append(len(begun))
        with database.open_engine() as engine, engine.connect() as connection:
            connection.execute(text(statement(begun[-1])))

    def run() -> None:
        assert dg.materialize([asks], resources={"database": database}).success

    if fails is None:
        run()
    else:
        with pytest.raises(fails):
            run()
    return len(begun)


def test_a_lost_server_is_asked_again(database: DatabaseResource) -> None:
    assert tries(database, lambda number: END_OURSELVES if number == 0 else "SELECT 1") == 2


def test_a_server_that_stays_away_is_said_to_be_so(database: DatabaseResource) -> None:
    assert tries(database, lambda _: END_OURSELVES, fails=DatabaseUnavailable) == RETRIES + 1


@pytest.mark.parametrize(
    ("statement", "error"), [("SELECT 1 / 0", DBAPIError), ("SELECT * FROM matching.nothing", DatabaseUnavailable)]
)
def test_what_would_fail_again_is_not_tried_again(
    database: DatabaseResource, statement: str, error: type[Exception]
) -> None:
    assert tries(database, lambda _: statement, fails=error) == 1


def test_outside_of_a_step_nothing_is_tried_again(database: DatabaseResource) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="terminating connection"),
        database.open_engine() as engine,
        engine.connect() as connection,
    ):
        connection.execute(text(END_OURSELVES))
