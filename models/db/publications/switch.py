"""The publication switch: match lists are stored separately, verified, and made visible at one instant.

Only one process at a time builds or rolls back. A separate connection holds the lock, which ends with the process.
"""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, Text, cast, func, select, text

from models.db.errors import NothingToRollBack, PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import building, partitions, verification
from models.db.rows.experiment_assignments import Assignment, store_assignments
from models.db.schema import tables

logger = logging.getLogger(__name__)
columns = tables.publications.c


@dataclass(frozen=True)
class StoredPublication:
    """A publication as it is recorded."""

    id: int
    state: str
    """building, live, retired or failed."""
    ranker_version: str
    encoder: str
    viewer_count: int
    pair_count: int
    metrics: Mapping[str, Any]
    """The metrics given to `publish_match_lists` and the numbers of dropped pairs.

    `error` is added if it failed, `rolled_back_at` if it was rolled back.
    """
    created_at: datetime
    activated_at: datetime | None
    kept: bool
    """Whether its lists are still in the database."""


def list_publications(connection: Connection) -> list[StoredPublication]:
    """Return all publications ever recorded, newest first."""
    found = connection.execute(_select_publications().order_by(columns.id.desc())).mappings()
    return [StoredPublication(**each) for each in found]


def get_live_publication(connection: Connection) -> StoredPublication | None:
    """Return the live publication, or None if there is none."""
    found = connection.execute(_select_publications().where(columns.state == "live")).mappings().one_or_none()
    return None if found is None else StoredPublication(**found)


def publish_match_lists(
    engine: Engine,
    lists: Iterable[MatchList],
    *,
    ranker_version: str,
    encoder: str,
    metrics: Mapping[str, object],
    as_of: date,
    scored_at: datetime,
    assignments: Iterable[Assignment] = (),
) -> StoredPublication:
    """Store the lists separately, verify them, and make them live at one instant.

    Pairs that have become impossible since scoring are dropped and counted in the metric `dropped_since_scoring`, see
    `verification.drop_impossible`. The lists of publications beyond the kept ones are dropped, and the vectors of
    encoders that no kept one names. If publishing fails, the live publication stays live, and the new one is recorded
    as failed with the reason in its metrics.

    Args:
        engine: The database.
        lists: The match lists, read once and streamed.
        ranker_version: Version of the ranker that scored the pairs.
        encoder: Name of the encoder. The API reads its vectors while the publication is live or being paged through.
        metrics: Metrics of the run, which must be valid JSON.
        as_of: The day for which ages were computed.
        scored_at: Database time, with time zone, at which the profiles, interactions and blocks of the lists were read.
        assignments: The arms of experiments that users are in, read once.

    Raises:
        PublicationRefused: Another publication is being built, a check failed, or the database cannot store the lists,
            for example because its disk is full.
        DatabaseUnavailable: The database was lost.
    """
    with building.lock_publications(engine) as connection:
        building.clean_up(connection)
        publication_id = _announce(connection, ranker_version, encoder, metrics)
        with building.record_failures(engine, publication_id):
            _build_lists(connection, publication_id, lists, as_of, scored_at)
            _complete_lists(connection, publication_id, assignments)
            _switch_live(connection, publication_id)
        building.drop_unneeded(connection)
        building.drop_unneeded_vectors(connection)
        with connection.begin():
            return _get_publication(connection, publication_id)


def roll_back(engine: Engine) -> StoredPublication:
    """Make the previously live publication live again. A publication that was rolled back never becomes live again.

    Raises:
        NothingToRollBack: No earlier publication keeps its lists.
        PublicationRefused: A publication is being built.
    """
    with building.lock_publications(engine) as connection, connection.begin():
        current = get_live_publication(connection)
        if current is None:
            raise NothingToRollBack("nothing has been published yet; publish first")
        earlier = next((found for found in list_publications(connection) if _can_return(found)), None)
        if earlier is None:
            raise NothingToRollBack(
                f"no publication before the live one, {current.id}, still has its lists; publish a better one instead"
            )
        rolled_back_at = func.jsonb_build_object("rolled_back_at", func.now())
        _update_publication(connection, current.id, state="retired", metrics=columns.metrics.concat(rolled_back_at))
        _update_publication(connection, earlier.id, state="live", activated_at=func.now())
        return _get_publication(connection, earlier.id)


def _can_return(found: StoredPublication) -> bool:
    return found.state == "retired" and found.kept and "rolled_back_at" not in found.metrics


def _announce(connection: Connection, ranker_version: str, encoder: str, metrics: Mapping[str, object]) -> int:
    """Record that a publication is being built, visible to all, and return its id."""
    try:
        json.dumps(dict(metrics), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PublicationRefused(f"its metrics cannot be stored as JSON: {error}; fix the metrics") from error
    with connection.begin():
        values = {"ranker_version": ranker_version, "encoder": encoder, "metrics": dict(metrics)}
        return int(connection.execute(tables.publications.insert().values(values).returning(columns.id)).scalar_one())


def _build_lists(
    connection: Connection, publication_id: int, lists: Iterable[MatchList], as_of: date, scored_at: datetime
) -> None:
    """Store, verify and attach the lists.

    Afterwards they are complete and erasures reach them, but readers do not see them yet.
    """
    with connection.begin():
        # Without this interval, a server busy with a query does not notice that its client was killed.
        connection.execute(text("SET LOCAL client_connection_check_interval = '1s'"))
        # For the joins of the verification, millions of pairs with all decisions.
        connection.execute(text("SET LOCAL work_mem = '256MB'"))
        # The joins return very few rows, but the planner expects many and would avoid parallel workers.
        connection.execute(text("SET LOCAL parallel_tuple_cost = 0"))
        # Each user is a candidate some fifty times, so hashing all profiles is faster than looking them up one by one.
        connection.execute(text("SET LOCAL enable_memoize = off"))
        sent = partitions.fill_partition(connection, publication_id, lists)
        logger.info("publication %d: %s stored", publication_id, sent)
        verification.verify_lists(connection, publication_id, sent)
        dropped = verification.drop_impossible(connection, publication_id, as_of, scored_at)
        said = ", ".join(f"{name} {count:,}" for name, count in dropped.items())
        logger.info("publication %d: verified; %s", publication_id, said)
        partitions.attach_partition(connection, publication_id)
        _update_publication(connection, publication_id, metrics=columns.metrics.concat(dict(dropped)))


def _complete_lists(connection: Connection, publication_id: int, assignments: Iterable[Assignment]) -> None:
    """Drop the erased from attached lists, and store the arms and the size of the publication."""
    with connection.begin():
        verification.drop_erased(connection, publication_id)  # holds the lock of erasures until the commit
        if assigned := list(assignments):
            store_assignments(connection, publication_id, assigned)
        left = partitions.measure_partition(connection, publication_id)
        verification.refuse_empty(left)
        _update_publication(connection, publication_id, viewer_count=left.viewers, pair_count=left.pairs)


def _switch_live(connection: Connection, publication_id: int) -> None:
    """Retire the live publication and make this one live, after waiting for readers that cannot see its lists.

    Raises:
        PublicationRefused: The lock was lost, and another builder has marked this publication as failed.
    """
    partitions.await_readers(connection)
    still_building = tables.publications.update().where(columns.id == publication_id, columns.state == "building")
    with connection.begin():
        connection.execute(tables.publications.update().where(columns.state == "live").values(state="retired"))
        if connection.execute(still_building.values(state="live", activated_at=func.now())).rowcount == 0:
            raise PublicationRefused("the connection that held its lock was lost, and another one was built; try again")
    logger.info("publication %d is live", publication_id)


def _update_publication(connection: Connection, publication_id: int, **values: object) -> None:
    connection.execute(tables.publications.update().where(columns.id == publication_id).values(values))


def _select_publications() -> Select[Any]:
    kept = func.to_regclass(partitions.PREFIX + cast(columns.id, Text)).is_not(None)
    return select(tables.publications, kept.label("kept"))


def _get_publication(connection: Connection, publication_id: int) -> StoredPublication:
    found = connection.execute(_select_publications().where(columns.id == publication_id)).mappings().one()
    return StoredPublication(**found)
