"""Write people and interactions into the app tables, idempotently."""

import logging
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import cast
from uuid import UUID, uuid5

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from models.db import locks
from models.db.errors import DatabaseUnavailable
from pipelines.loaders import upserts
from pipelines.loaders.records import Interaction, LoadReport, Person, Source
from pipelines.loaders.refusals import UNKNOWN_PERSON, filter_interactions, filter_people

__all__ = ["Interaction", "LoadReport", "Person", "Source", "derive_profile_id", "fill_app_tables"]

NAMESPACE = UUID("5d6d1f6e-2b1c-5a44-9d0e-6c7f1b1f0d11")

logger = logging.getLogger(__name__)


def derive_profile_id(source_key: str) -> str:
    """Return the profile id for a source key. It is the same on every machine, so that runs are reproducible."""
    return str(uuid5(NAMESPACE, source_key))


def fill_app_tables(
    engine: Engine, people: Iterable[Person], interactions: Iterable[Interaction], refused: Counter[str] | None = None
) -> LoadReport:
    """Insert or update people and interactions in one transaction. Unchanged rows are not written.

    Concurrent loads run one after the other. If the server is lost or its disk is full, nothing is written; inside
    `models.db.engines.open_database` this is raised as DatabaseUnavailable.

    Args:
        engine: The database.
        people: Read once and streamed, before the interactions. Of several rows with one key, the first counts.
        interactions: Read once and streamed. They may refer to people of earlier loads.
        refused: Rows that the source already refused, by reason. The report adds them to those refused here.

    Returns:
        The numbers of rows that were added, changed, unchanged and refused.
    """
    reasons: Counter[str] = Counter()
    with engine.begin() as connection:
        # Two concurrent loads could lock the same rows in different orders, so the second waits here.
        locks.acquire(connection, locks.LOAD)
        people_counts = _fill_profiles(connection, filter_people(people, reasons))
        interaction_counts = _fill_interactions(connection, filter_interactions(interactions, reasons), reasons)
    return LoadReport(*people_counts, *interaction_counts, refused=reasons + (refused or Counter()))


def _make_profile_row(person: Person) -> tuple[object, ...]:
    return (
        derive_profile_id(person.source_key),
        person.source_key,
        person.display_name,
        person.birth_date,
        person.gender,
        list(person.seeks),
        person.age_min,
        person.age_max,
        person.latitude,
        person.longitude,
        person.max_distance_km,
        Jsonb(person.texts),
        list(person.interests),
        Jsonb(person.traits),
        Jsonb(person.facts),
        Jsonb(person.wants),
    )


@lru_cache(maxsize=1024)
def _derive_actor_namespace(actor_key: str) -> UUID:
    return uuid5(NAMESPACE, actor_key)


def _make_interaction_row(line: int, interaction: Interaction) -> tuple[object, ...]:
    return (
        line,
        # The target's key in the actor's namespace: a concatenation of both keys could be ambiguous.
        str(uuid5(_derive_actor_namespace(interaction.actor_key), interaction.target_key)),
        interaction.actor_key,
        interaction.target_key,
        interaction.kind,
        interaction.created_at,
        interaction.position,
        interaction.propensity,
    )


def _fill_profiles(connection: Connection, people: Iterable[Person]) -> tuple[int, int, int]:
    connection.exec_driver_sql(upserts.INCOMING_PROFILES)
    _copy_rows(connection, "incoming_profiles", map(_make_profile_row, people))
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_PROFILES).one()
    return added, changed, seen - added - changed


def _fill_interactions(
    connection: Connection, interactions: Iterable[Interaction], reasons: Counter[str]
) -> tuple[int, int, int]:
    connection.exec_driver_sql(upserts.INCOMING_INTERACTIONS)
    rows = (_make_interaction_row(line, interaction) for line, interaction in enumerate(interactions))
    copied = _copy_rows(connection, "incoming_interactions", rows)
    strangers = connection.exec_driver_sql(upserts.DELETE_UNKNOWN_PEOPLE).rowcount
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_INTERACTIONS).one()
    reasons.update({UNKNOWN_PERSON: strangers, "pair seen before in this load": copied - strangers - seen})
    return added, changed, seen - added - changed


def _copy_rows(connection: Connection, table: str, rows: Iterable[tuple[object, ...]]) -> int:
    """Stream rows into a temporary table and return their number. ANALYZE gives the planner the table's size."""
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    count = 0
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for count, row in enumerate(rows, start=1):
                copy.write_row(row)
                if count % 250_000 == 0:
                    logger.info("%s: %s rows read", table, f"{count:,}")
    except psycopg.OperationalError as error:
        what = str(error).partition("\n")[0]  # the other lines may quote the row
        raise DatabaseUnavailable(f"the database failed while loading and nothing was written: {what}") from error
    connection.exec_driver_sql(f"ANALYZE {table}")
    return count
