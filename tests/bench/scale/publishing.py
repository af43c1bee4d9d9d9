"""A publication beside the bare binary COPY of the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy import create_engine

from models.db import embedded, migrations
from models.db.engines import libpq_url
from models.db.match_lists import MatchList
from models.db.publications import publish
from models.db.publications.partitions import partition
from tests.bench.api_town import LISTED, LISTS, PEOPLE, WORD
from tests.bench.scale.figures import Figures
from tests.bench.scale.matching import clocked

CHUNK = 1 << 17
RECORD = "viewer_id::text, candidate_ids::text[], p_like, p_liked_back, p_match, reasons::text"
SHARE = "bare COPY over publication"


def publishing(people: int) -> Figures:
    """Seconds of a whole publication of lists of LISTED, and of the COPY of its bytes into a table without keys."""
    with _town(people) as url, psycopg.connect(libpq_url(url), autocommit=True) as connection:
        lists = [MatchList(*row) for row in connection.execute(f"SELECT {RECORD} FROM matching.match_lists")]
        engine = create_engine(url)
        names = {"ranker_version": "1", "encoder": "none", "metrics": {}}
        days = {"as_of": date.today(), "scored_at": datetime.now(UTC)}  # noqa: DTZ011 - the database's current_date
        spent, made = clocked(partial(publish, engine, lists, **names, **days))  # type: ignore[arg-type]
        engine.dispose()
        with connection.cursor().copy(f"COPY {partition(made.id)} TO STDOUT (FORMAT BINARY)") as copy:
            stored = b"".join(bytes(part) for part in copy)
        connection.execute("CREATE TABLE bare (LIKE matching.match_lists)")
        bare, _ = clocked(partial(_copied, connection, stored))
    figures = {"publication, s": spent[0], "bare COPY, s": bare[0], SHARE: bare[0] / spent[0], "MB": len(stored) / 1e6}
    return {name: float(value) for name, value in figures.items()} | {"pairs": float(made.pair_count)}


def _copied(connection: psycopg.Connection, stored: bytes) -> None:
    with connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
        for start in range(0, len(stored), CHUNK):
            copy.write(stored[start : start + CHUNK])


@contextmanager
def _town(people: int) -> Iterator[str]:
    """The URL of an embedded server of its own, with so many people and a list of LISTED for each."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            url = embedded.ensure_running(home)
            migrations.upgrade(url)
            with psycopg.connect(libpq_url(url), autocommit=True) as connection:
                connection.execute("SELECT setseed(0.5)")
                connection.execute(WORD)
                for statement in (PEOPLE, LISTS):
                    connection.execute(statement.format(people=people, listed=LISTED).encode())
                connection.execute("VACUUM ANALYZE")
            yield url
        finally:
            embedded.stop(home)
