"""Write people and interactions into the app tables, idempotently."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from models.db import locks
from pipelines.loaders import upserts
from pipelines.loaders.conversations.conversation_records import NO_CONVERSATIONS, ConversationSource
from pipelines.loaders.conversations.conversation_tables import fill_conversations
from pipelines.loaders.records import Counts, Interaction, LoadReport, Person, Refusal, Source
from pipelines.loaders.refusals import UNKNOWN_PERSON, check_interactions, check_people
from pipelines.loaders.row_copy import copy_rows

__all__ = ["Interaction", "LoadReport", "Person", "Source", "derive_profile_id", "fill_app_tables"]

NAMESPACE = UUID("5d6d1f6e-2b1c-5a44-9d0e-6c7f1b1f0d11")


def derive_profile_id(source_key: str) -> str:
    """Return the profile id for a source key. It is the same on every machine, so that runs are reproducible."""
    return str(uuid5(NAMESPACE, source_key))


def fill_app_tables(
    engine: Engine,
    people: Iterable[Person],
    interactions: Iterable[Interaction],
    refused: Counter[str] | None = None,
    conversations: ConversationSource = NO_CONVERSATIONS,
) -> LoadReport:
    """Insert or update people, interactions and conversations in one transaction. Unchanged rows are not written.

    Concurrent loads run one after the other. If the server is lost or its disk is full, nothing is written; inside
    `models.db.engines.open_database` this is raised as DatabaseUnavailable.

    Args:
        engine: The database.
        people: Read once and streamed, before the interactions. Of several rows with one key, the first counts.
        interactions: Read once and streamed. They may refer to people of earlier loads.
        conversations: Conversations between these people, or those of earlier loads.
        refused: Rows that the source already refused, by reason. The report adds them to those refused here.

    Returns:
        The numbers of rows that were added, changed, unchanged and refused.
    """
    with engine.begin() as connection:
        # Two concurrent loads could lock the same rows in different orders, so the second waits here.
        locks.acquire(connection, locks.LOAD)
        people_counts, refused_people = _fill_profiles(connection, people)
        interaction_counts, refused_interactions = _fill_interactions(connection, interactions)
        counts: dict[str, Counts] = {}
        refused_conversations = Counter[str]()
        if conversations is not NO_CONVERSATIONS:
            counts, refused_conversations = fill_conversations(connection, conversations)
    reasons = refused_people + refused_interactions + refused_conversations + (refused or Counter())
    return LoadReport(*people_counts, *interaction_counts, refused=reasons, conversations=counts)


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


def _fill_profiles(connection: Connection, people: Iterable[Person]) -> tuple[Counts, Counter[str]]:
    connection.exec_driver_sql(upserts.INCOMING_PROFILES)
    rows = (each if isinstance(each, Refusal) else _make_profile_row(each) for each in check_people(people))
    _, refused = copy_rows(connection, "incoming_profiles", rows)
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_PROFILES).one()
    return (added, changed, seen - added - changed), refused


def _fill_interactions(connection: Connection, interactions: Iterable[Interaction]) -> tuple[Counts, Counter[str]]:
    connection.exec_driver_sql(upserts.INCOMING_INTERACTIONS)
    rows = (
        each if isinstance(each, Refusal) else _make_interaction_row(line, each)
        for line, each in enumerate(check_interactions(interactions))
    )
    copied, refused = copy_rows(connection, "incoming_interactions", rows)
    strangers = connection.exec_driver_sql(upserts.DELETE_UNKNOWN_PEOPLE).rowcount
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_INTERACTIONS).one()
    found = Counter({UNKNOWN_PERSON: strangers, "pair seen before in this load": copied - strangers - seen})
    return (added, changed, seen - added - changed), refused + found
