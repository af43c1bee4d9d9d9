"""The table of one publication's match lists: filled separately, attached as a partition, dropped as a whole."""

import logging
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import psycopg
from psycopg import Copy
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList, MostCompatibleEntry
from models.db.publications import wire

PREFIX = "matching.match_lists_"
COLUMN_TYPES = (
    "int8",
    "uuid",
    "uuid[]",
    "float4[]",
    "float4[]",
    "float4[]",
    "jsonb",
    "uuid",
    "float4",
    "jsonb",
    "uuid[]",
    "uuid[]",
    "float4[]",
    "float4[]",
    "jsonb",
    "float4[]",
)
LISTS_A_LOG_LINE = 20_000
ATTACH_ATTEMPTS = 60
ATTACH_PAUSE_SECONDS = 1.0
READERS_WAIT_SECONDS = 30.0

READERS = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = 'matching.match_lists'::regclass AND pid <> pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

COUNTS = """
SELECT count(*) FILTER (WHERE candidate_ids <> '{}' OR withheld_ids = '{}' AND likes_ids = '{}'),
       coalesce(sum(cardinality(candidate_ids)), 0), coalesce(sum(cardinality(withheld_ids)), 0),
       coalesce(sum(cardinality(likes_ids)), 0)
FROM """

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublicationSize:
    """The size of a publication."""

    viewers: int
    """Viewers with a list. A row with nothing but withheld users or pending likes is not a list."""
    pairs: int
    withheld: int = 0
    """Total length of all `withheld_ids`."""
    likes: int = 0
    """Total length of all `likes_ids`."""

    def __str__(self) -> str:
        return f"{self.pairs:,} pairs in {self.viewers:,} lists"


def name_partition(publication_id: int) -> str:
    """Return the qualified name of a publication's table."""
    return f"{PREFIX}{publication_id:d}"


def fill_partition(connection: Connection, publication_id: int, lists: Iterable[MatchList]) -> PublicationSize:
    """Create the table and stream the lists into it by binary COPY. Return the size that was sent."""
    name = name_partition(publication_id)
    # Keys are created after the rows, which is faster. The CHECK saves ATTACH from reading all rows.
    columns = "LIKE matching.match_lists INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
    connection.execute(text(f"CREATE TABLE {name} ({columns}, CHECK (publication_id = {publication_id:d}))"))
    viewers = pairs = withheld = likes = 0
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        wire.register_dumpers(cursor)
        with cursor.copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(COLUMN_TYPES)
            for row, match_list in enumerate(lists, 1):
                _write_row(copy, publication_id, match_list)
                viewers += match_list.is_list
                pairs += len(match_list.candidate_ids)
                withheld += len(match_list.withheld_ids)
                likes += len(match_list.likes_ids)
                if row % LISTS_A_LOG_LINE == 0:
                    logger.info("publication %d: %s lists copied", publication_id, f"{viewers:,}")
    # Verification joins by viewer_id alone; sampling the arrays and reasons would be slow.
    connection.execute(text(f"ANALYZE {name} (viewer_id)"))
    return PublicationSize(viewers, pairs, withheld, likes)


def measure_partition(connection: Connection, publication_id: int) -> PublicationSize:
    """Return the size of the stored lists."""
    return PublicationSize(*connection.execute(text(COUNTS + name_partition(publication_id))).one())


def _write_row(copy: Copy, publication_id: int, match_list: MatchList) -> None:
    try:
        copy.write_row((publication_id, *_make_row(match_list)))
    except (TypeError, ValueError, AttributeError, OverflowError, struct.error) as error:
        raise PublicationRefused(f"a list is not made of uuids and numbers: {error}; fix the match lists") from error


def _make_row(match_list: MatchList) -> tuple[object, ...]:
    return (
        UUID(match_list.viewer_id),
        match_list.candidate_ids,
        match_list.p_like,
        match_list.p_liked_back,
        match_list.p_match,
        Jsonb(match_list.reasons, dumps=str),
        *_make_most_compatible_values(match_list.most_compatible),
        match_list.withheld_ids,
        match_list.likes_ids,
        match_list.likes_p_like,
        match_list.likes_p_match,
        Jsonb(match_list.likes_reasons, dumps=str),
        match_list.propensities,
    )


def _make_most_compatible_values(partner: MostCompatibleEntry | None) -> tuple[object, ...]:
    if partner is None:
        return (None, None, None)
    return (UUID(partner.candidate_id), float(partner.p_match), Jsonb(partner.reasons, dumps=str))


def attach_partition(
    connection: Connection,
    publication_id: int,
    attempts: int = ATTACH_ATTEMPTS,
    pause_seconds: float = ATTACH_PAUSE_SECONDS,
) -> None:
    """Add keys to the table and attach it as a partition of `matching.match_lists`, in the caller's transaction.

    After the commit, erasures reach its rows. Readers never wait for this. Writers of profiles wait from the lock until
    the caller's commit. If another transaction writes profiles for long, the attempt gives way and is repeated after a
    pause.

    Raises:
        PublicationRefused: Every attempt met such a transaction.
    """
    name = name_partition(publication_id)
    connection.execute(text(f"ALTER TABLE {name} ADD PRIMARY KEY (publication_id, viewer_id)"))
    connection.execute(text(f"CREATE INDEX ON {name} (viewer_id)"))
    for _ in range(attempts):
        if _try_attach(connection, name, publication_id):
            return
        time.sleep(pause_seconds)
    raise PublicationRefused(
        "app.profiles was being written to by a transaction that did not end; "
        "end it (pg_stat_activity shows it), then publish again"
    )


def _try_attach(connection: Connection, name: str, publication_id: int) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
            # ATTACH takes this lock anyway to check the foreign key, so the rows of erased viewers must go first.
            connection.execute(text("LOCK TABLE app.profiles IN SHARE ROW EXCLUSIVE MODE"))
            connection.execute(
                text(f"DELETE FROM {name} WHERE NOT EXISTS (SELECT FROM app.profiles WHERE id = viewer_id)")  # noqa: S608
            )
            connection.execute(
                text(f"ALTER TABLE matching.match_lists ATTACH PARTITION {name} FOR VALUES IN ({publication_id:d})")
            )
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            return False
        raise
    return True


def await_readers(connection: Connection, seconds: float = READERS_WAIT_SECONDS) -> None:
    """Wait for the transactions that have been reading the lists since before the last partition was attached.

    PostgreSQL may run a query that was planned without a partition under a later snapshot. A prepared statement inside
    one transaction can do so for as long as the transaction lasts. It would see the new publication live but without
    lists. Transactions that lock the lists after the attachment plan with the partition. Readers are not blocked, and
    the wait ends after `seconds`.
    """
    before = _find_readers(connection)
    deadline = time.monotonic() + seconds
    while before & _find_readers(connection):
        if time.monotonic() > deadline:
            logger.warning("a transaction that reads match lists stays open; until it ends, it may see no lists")
            return
        time.sleep(0.02)


def _find_readers(connection: Connection) -> set[str]:
    with connection.begin():
        return set(connection.scalars(text(READERS)))


def find_partitions(connection: Connection) -> set[int]:
    """Return the ids of the publications whose table exists."""
    return set(
        connection.scalars(
            text(
                "SELECT substring(relname FROM '[0-9]+$')::bigint FROM pg_class "
                r"WHERE relnamespace = 'matching'::regnamespace AND relkind = 'r' AND relname ~ '^match_lists_[0-9]+$'"
            )
        )
    )


def drop_partition(connection: Connection, publication_id: int) -> None:
    """Drop the table of a publication in a separate transaction.

    If a reader holds it, the next publication drops it.
    """
    try:
        with connection.begin():
            connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            connection.execute(text(f"DROP TABLE IF EXISTS {name_partition(publication_id)}"))
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise
        logger.warning("the lists of publication %d are in use; the next publication drops them", publication_id)
