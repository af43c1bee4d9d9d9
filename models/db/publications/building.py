"""The building of publications: the lock, the clean-up after builders that died, and the recording of failures."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from models.db import locks
from models.db.engines import is_connection_failure
from models.db.errors import DatabaseUnavailable, MatchingError, PublicationRefused
from models.db.publications import partitions
from models.db.redaction import redact
from models.db.rows.embedding_rows import drop_other_encoders
from models.db.rows.experiment_assignments import prune_assignments
from models.db.schema.tables import publications

KEPT = 3
"""Number of publications whose lists are kept: the live one and those for rollback."""

OUT_OF_SPACE_SQLSTATES = ("53", "58")  # insufficient resources (disk full), system errors (I/O)

logger = logging.getLogger(__name__)
columns = publications.c


@contextmanager
def lock_publications(engine: Engine) -> Iterator[Connection]:
    """Yield a connection to build on, while another connection holds the lock of builders.

    Raises:
        PublicationRefused: Another process holds the lock, or the database rejected a statement.
        DatabaseUnavailable: The database was lost.
    """
    try:
        with locks.try_acquire(engine, locks.PUBLICATION) as free:
            if not free:
                raise PublicationRefused("another publication is being built; wait until it is done, then try again")
            with engine.connect() as connection:
                yield connection
    except DBAPIError as error:
        raise _explain_error(error) from error


def clean_up(connection: Connection) -> None:
    """Mark the publications of builders that died as failed, and drop the lists that are not kept.

    The caller must hold the lock of builders.
    """
    died = columns.metrics.concat({"error": "its process ended before it was done"})
    with connection.begin():
        connection.execute(
            publications.update().where(columns.state == "building").values(state="failed", metrics=died)
        )
    drop_unneeded(connection)


def drop_unneeded_vectors(connection: Connection) -> None:
    """Drop the vectors of encoders that no kept publication names; only a publication that is live makes them so."""
    with connection.begin():
        kept = _find_kept(connection)
        encoders = set(connection.scalars(select(columns.encoder).where(columns.id.in_(kept))))
    drop_other_encoders(connection, encoders)


def drop_unneeded(connection: Connection) -> None:
    """Drop the lists of all publications but the live one and those that a rollback can return to, and old arms."""
    with connection.begin():
        unneeded = partitions.find_partitions(connection) - _find_kept(connection)
        prune_assignments(connection)
    for publication_id in sorted(unneeded):
        partitions.drop_partition(connection, publication_id)


def _find_kept(connection: Connection) -> set[int]:
    """Find the live publication and those that a rollback can return to."""
    returnable = select(columns.id).where(columns.state == "retired", ~columns.metrics.has_key("rolled_back_at"))
    kept = set(connection.scalars(select(columns.id).where(columns.state == "live")))
    return kept | set(connection.scalars(returnable.order_by(columns.id.desc()).limit(KEPT - 1)))


@contextmanager
def record_failures(engine: Engine, publication_id: int) -> Iterator[None]:
    """Record the publication as failed if the block fails, and raise an error that says what to do.

    Raises:
        PublicationRefused: The lists or the database caused the failure.
        DatabaseUnavailable: The database was lost.
        MatchingError: The block raised another subclass, which is raised again with the publication's number.
    """
    try:
        yield
    except BaseException as error:
        reason = _explain_error(error)
        _record_failure(engine, publication_id, str(reason))
        if not isinstance(error, Exception):
            raise
        raise type(reason)(
            f"publication {publication_id} was not published: {reason}. What was live before it still is."
        ) from error


def _explain_error(error: BaseException) -> MatchingError:
    """Convert an error into one that says what went wrong and what to do. Ids are removed from both."""
    redact(error)
    if isinstance(error, MatchingError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return PublicationRefused(f"{type(error).__name__} {error}".strip())
    what = str(cause)
    if is_connection_failure(cause):
        return DatabaseUnavailable(f"the database does not answer ({what}); see that it runs, then try again")
    if (cause.sqlstate or "").startswith(OUT_OF_SPACE_SQLSTATES):
        return PublicationRefused(f"the database has no room ({what}); free space on its disk, then try again")
    return PublicationRefused(f"the database refused it ({what}); fix that, then try again")


def _record_failure(engine: Engine, publication_id: int, reason: str) -> None:
    """Record the reason and drop the stored lists. If the database is lost, the next builder does so."""
    still_building = publications.update().where(columns.id == publication_id, columns.state == "building")
    failed = still_building.values(state="failed", metrics=columns.metrics.concat({"error": reason}))
    try:
        with engine.connect() as connection:
            with connection.begin():
                recorded = connection.execute(failed).rowcount
            if recorded:
                partitions.drop_partition(connection, publication_id)
    except SQLAlchemyError:
        logger.warning("publication %d stays in state building; the next publication cleans it up", publication_id)
