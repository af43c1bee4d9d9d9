"""A small population for the tests of `models.db`, where every probability and reason shows whose it is."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, text

from models.db.engines import convert_to_libpq_url
from models.db.match_lists import MatchList, MostCompatibleEntry
from models.db.publications import (
    StoredPublication,
    get_live_publication,
    list_publications,
    partitions,
    publish_match_lists,
)
from models.db.schema import tables

AS_OF = date(2020, 2, 1)
SCORED_AT = datetime(2020, 2, 1, tzinfo=UTC)
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
MIGRATE = "import sys; from models.db.schema.migrations import upgrade_database; upgrade_database(sys.argv[1])"

Lists = dict[int, list[int]]
"""Candidates by viewer, all people by number."""

TOWN: Lists = {1: [4, 2, 6], 2: [5, 1], 3: [6], 4: [1], 5: [], 6: [3, 1, 5]}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def town(engine: Engine) -> Engine:
    """Three women, 1, 3 and 5, and three men, 2, 4 and 6."""
    with engine.begin() as connection:
        settle(connection, range(1, 7))
    return engine


def run(engine: Engine, statement: str, **values: object) -> None:
    """Run and commit one statement."""
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def session(url: URL) -> psycopg.Connection:
    """An autocommit session past SQLAlchemy."""
    return psycopg.connect(convert_to_libpq_url(url.render_as_string(hide_password=False)), autocommit=True)


def migrate_at_once(*urls: str) -> None:
    """Migrate in one process for each URL, all at the same time."""
    migrating = [subprocess.Popen([sys.executable, "-c", MIGRATE, url]) for url in urls]
    assert [process.wait() for process in migrating] == [0] * len(urls)


def somebody_waits(engine: Engine) -> bool:
    """Whether a session of this database waits for another one."""
    blocked = "datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
    with engine.connect() as connection:
        return bool(connection.scalar(text(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE {blocked})")))


def person_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def settle(connection: Connection, numbers: Iterable[int], **columns: object) -> None:
    """Insert people, odd numbers women, even ones men, all eligible for each other unless `columns` say otherwise."""
    for number in numbers:
        gender, seeks = ("woman", ["man"]) if number % 2 else ("man", ["woman"])
        row: dict[str, object] = {
            "id": person_id(number),
            "source_key": f"town:{number}",
            "display_name": f"Person {number}",
        }
        row |= {"birth_date": date(1990, 1, 1), "gender": gender, "seeks": seeks, "updated_at": BEFORE}
        connection.execute(tables.profiles.insert().values(row | columns))


def reasons_for(number: int) -> list[dict[str, object]]:
    return [{"code": "is", "detail": [str(number)]}]


def list_for(
    viewer: int,
    candidates: Sequence[int],
    scale: float = 1.0,
    *,
    most_compatible: int | None = None,
    withheld: Iterable[int] = (),
) -> MatchList:
    """A list whose numbers and reasons are the candidates' own, so that a wrong position shows."""
    best = most_compatible and MostCompatibleEntry(
        person_id(most_compatible), most_compatible / 512, json.dumps(reasons_for(most_compatible))
    )
    return MatchList(
        viewer_id=person_id(viewer),
        candidate_ids=[person_id(candidate) for candidate in candidates],
        p_like=[scale * candidate / 128 for candidate in candidates],
        p_liked_back=[scale * candidate / 256 for candidate in candidates],
        p_match=[scale * candidate / 512 for candidate in candidates],
        reasons=json.dumps([reasons_for(candidate) for candidate in candidates]),
        most_compatible=best or None,
        withheld_ids=[person_id(number) for number in withheld],
    )


def publish_lists(
    engine: Engine,
    lists: Lists | Iterable[MatchList],
    *,
    metrics: Mapping[str, object] | None = None,
    as_of: date = AS_OF,
) -> StoredPublication:
    """Publish as if the people had been read at SCORED_AT."""
    if isinstance(lists, dict):
        lists = [list_for(viewer, candidates) for viewer, candidates in lists.items()]
    what = {"auc": 0.75} if metrics is None else metrics
    return publish_match_lists(
        engine, lists, ranker_version="7", encoder="letters", metrics=what, as_of=as_of, scored_at=SCORED_AT
    )


def fetch(bind: Engine | Connection, query: str, **values: object) -> list[Any]:
    """The rows of a query, in a transaction of its own if `bind` is an engine."""
    if isinstance(bind, Connection):
        return list(bind.execute(text(query), values))
    with bind.connect() as connection:
        return fetch(connection, query, **values)


def publications(engine: Engine) -> list[StoredPublication]:
    """All publications, newest first."""
    with engine.connect() as connection:
        return list_publications(connection)


def live(engine: Engine) -> StoredPublication | None:
    with engine.connect() as connection:
        return get_live_publication(connection)


def find_partitions(engine: Engine) -> set[int]:
    with engine.connect() as connection:
        return partitions.find_partitions(connection)


LISTS = "SELECT * FROM matching.match_lists WHERE publication_id = :id ORDER BY viewer_id"


def stored_lists(bind: Engine | Connection, publication_id: int) -> Lists:
    """The lists as the database has them, after checking that every number and reason is still the candidate's own."""
    stored: Lists = {}
    for row in fetch(bind, LISTS, id=publication_id):
        numbers = [candidate_id.int for candidate_id in row.candidate_ids]
        expected = list_for(row.viewer_id.int, numbers)
        assert (row.p_like, row.p_liked_back, row.p_match) == (expected.p_like, expected.p_liked_back, expected.p_match)
        assert row.reasons == json.loads(expected.reasons)
        stored[row.viewer_id.int] = numbers
    return stored


def stored_beside_lists(bind: Engine | Connection, publication_id: int) -> dict[int, tuple[int | None, list[int]]]:
    """Whom each viewer is most compatible with, and who is withheld from them; the former is checked as lists are."""
    stored: dict[int, tuple[int | None, list[int]]] = {}
    for row in fetch(bind, LISTS, id=publication_id):
        best = row.most_compatible_id and row.most_compatible_id.int
        expected = (None, None) if best is None else (best / 512, reasons_for(best))
        assert (row.most_compatible_p_match, row.most_compatible_reasons) == expected
        stored[row.viewer_id.int] = best, [withheld.int for withheld in row.withheld_ids]
    return stored
