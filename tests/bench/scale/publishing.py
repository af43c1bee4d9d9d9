"""A publication, and the part of it that stores the lists, beside the bare binary COPY of the same bytes."""

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import Engine, create_engine

from models.db.engines import convert_to_libpq_url, resolve_database_url
from models.db.match_lists import MatchList
from models.db.publications import publish_match_lists
from models.db.publications.partitions import fill_partition, name_partition
from tests.bench.figures import Figures
from tests.bench.scale.founding import settings_of
from tests.bench.scale.matching import clocked

CHUNK = 1 << 17
RECORD = "viewer_id::text, candidate_ids::text[], p_like, p_liked_back, p_match, reasons::text"
SHARE = "bare COPY over publication"
STORING = "bare COPY over storing the lists"
LIVE = "publication_id = (SELECT id FROM matching.publications WHERE state = 'live')"


def publishing(home: Path) -> Figures:
    """Seconds of publishing the live lists once more, of storing them only, and of the COPY of the same bytes into a
    table without keys.
    """
    url = resolve_database_url(settings_of(home))
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        query = f"SELECT {RECORD} FROM matching.match_lists WHERE {LIVE}"
        lists = [MatchList(*row) for row in connection.execute(query.encode())]
        engine = create_engine(url)
        names = {"ranker_version": "1", "encoder": "none", "metrics": {}}
        days = {"as_of": date.today(), "scored_at": datetime.now(UTC)}  # noqa: DTZ011 - the database's current_date
        spent, made = clocked(partial(publish_match_lists, engine, lists, **names, **days))  # type: ignore[arg-type]
        storing, _ = clocked(partial(_filled, engine, made.id + 1, lists))
        engine.dispose()
        with connection.cursor().copy(f"COPY {name_partition(made.id)} TO STDOUT (FORMAT BINARY)") as copy:
            stored = b"".join(bytes(part) for part in copy)
        connection.execute("CREATE TABLE bare (LIKE matching.match_lists)")
        bare, _ = clocked(partial(_copied, connection, stored))
    figures = {
        "publication, s": spent[0],
        "of that storing the lists, s": storing[0],
        "bare COPY, s": bare[0],
        STORING: bare[0] / storing[0],
        SHARE: bare[0] / spent[0],
        "MB": len(stored) / 1e6,
        "pairs": made.pair_count,
    }
    return {name: float(value) for name, value in figures.items()}


def _filled(engine: Engine, publication_id: int, lists: list[MatchList]) -> None:
    """Store the lists, and take it back."""
    with engine.connect() as connection:
        fill_partition(connection, publication_id, lists)
        connection.rollback()


def _copied(connection: psycopg.Connection, stored: bytes) -> None:
    with connection.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
        for start in range(0, len(stored), CHUNK):
            copy.write(stored[start : start + CHUNK])
