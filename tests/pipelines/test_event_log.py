"""What Dagster and MLflow keep names nobody, because no erasure reaches it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from models.db.match_lists import MatchList
from pipelines.resources import DatabaseResource
from tests.models_db.conftest import BEFORE, TOWN, list_for, person_id, publish_lists, run, settle
from tests.pipelines.conftest import Place

PEOPLE, KEY = range(1, 7), "town:1"


@pytest.fixture
def town(database_url: str) -> Engine:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        settle(connection, PEOPLE)
    blocked = "INSERT INTO app.blocks VALUES (:a, :b, :at)"
    run(engine, blocked, a=person_id(4), b=person_id(1), at=BEFORE)
    return engine


def lists_until_an_error() -> Iterator[MatchList]:
    yield from (list_for(viewer, candidates) for viewer, candidates in TOWN.items())
    raise KeyError(person_id(2))


FAILS: dict[str, tuple[Callable[[Engine], object], bytes]] = {
    "an error in the lists": (lambda engine: publish_lists(engine, lists_until_an_error()), b"KeyError"),
    "words for numbers": (
        lambda engine: publish_lists(engine, [MatchList(KEY, [person_id(2)], [0.5], [0.5], [0.5], "[[]]")]),
        b"is not made of uuids and numbers",
    ),
    "a row that is there": (
        lambda engine: run(engine, "INSERT INTO app.blocks SELECT * FROM app.blocks"),
        b"duplicate key value violates",
    ),
    "a value that is none": (
        lambda engine: run(engine, "SELECT CAST(:who AS uuid)", who=f"x{person_id(3)}"),
        b"invalid input syntax for type uuid",
    ),
}


@pytest.mark.parametrize("case", FAILS)
def test_a_step_that_fails_in_the_database_names_nobody(town: Engine, tmp_path: Path, case: str) -> None:
    act, says = FAILS[case]

    @dg.asset
    def fails(database: DatabaseResource) -> None:
        with database.open_engine() as engine:
            act(engine)

    url = town.url.render_as_string(hide_password=False)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        resources = {"database": DatabaseResource(home=str(tmp_path), url=url)}
        done = dg.materialize([fails], resources=resources, instance=instance, raise_on_error=False)
        assert not done.success
    kept = written_in(tmp_path)
    assert says in kept
    assert [number for number in PEOPLE if person_id(number).encode() in kept] == []
    assert KEY.encode() not in kept


def written_in(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_a_run_leaves_names_nobody(settled: Place) -> None:
    kept = written_in(settled.home / "dagster") + written_in(settled.home / "mlflow")
    assert b"profile_embeddings" in kept
    people = settled.ask("SELECT id::text, source_key, texts FROM app.profiles")
    answers = [answer for *_, texts in people for answer in texts.values()]
    words = [word for person, key, _ in people for word in (person, key)] + [word for word in answers if word]
    assert len(words) > 2 * len(people)
    assert [word for word in words if word.encode() in kept] == []
