"""Write people and interactions into the app tables, once each, however often they are loaded."""

import logging
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import cast
from uuid import UUID, uuid5

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from models.db.errors import DatabaseUnavailable
from pipelines.loaders import upserts

NAMESPACE = UUID("5d6d1f6e-2b1c-5a44-9d0e-6c7f1b1f0d11")
KINDS = ("like", "pass")
LONGEST_ANSWER = 10_000
LONGEST_WORD = 500  # also keeps a source key within what a PostgreSQL index entry can hold
MOST = 32_767  # what a smallint holds
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
STRANGER = "interaction with an unknown person"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """One profile as a source gives it."""

    source_key: str
    display_name: str
    birth_date: date
    gender: str
    seeks: tuple[str, ...]
    age_min: int | None = None
    age_max: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    max_distance_km: float | None = None
    texts: dict[str, str] = field(default_factory=dict)
    interests: tuple[str, ...] = ()
    traits: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    wants: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Interaction:
    """One like or pass, between people named by source key. `created_at` has a time zone."""

    actor_key: str
    target_key: str
    kind: str
    created_at: datetime
    position: int | None = None
    propensity: float | None = None


@dataclass(frozen=True)
class LoadReport:
    """What a load did: how many rows were new, changed or as before, and how many were refused, by reason."""

    profiles_added: int
    profiles_changed: int
    profiles_unchanged: int
    interactions_added: int
    interactions_changed: int
    interactions_unchanged: int
    refused: Counter[str]
    notes: tuple[str, ...] = ()


def profile_id(source_key: str) -> str:
    """The id of the person with this source key: the same on every machine, so that a run can be repeated exactly."""
    return str(uuid5(NAMESPACE, source_key))


def fill(
    engine: Engine, people: Iterable[Person], interactions: Iterable[Interaction], refused: Counter[str] | None = None
) -> LoadReport:
    """Insert or update the people and interactions in one transaction; rows as they already are stay untouched.

    Both iterables are read once, people first, and streamed. Rows that cannot be used are left out and counted in the
    report with those the source already `refused`. Of several rows with the same key the first counts. Interactions
    may name people of earlier loads. Raises DatabaseUnavailable if the server is lost or full; nothing is written then.
    """
    reasons: Counter[str] = Counter()
    with engine.begin() as connection:
        people_counts = _fill_profiles(connection, _acceptable_people(people, reasons))
        interaction_counts = _fill_interactions(connection, _acceptable_interactions(interactions, reasons), reasons)
    return LoadReport(*people_counts, *interaction_counts, refused=reasons + (refused or Counter()))


def age_in_years(birth_date: date, on: date) -> int:
    """Completed years of age on a day, as people count them and as `matching.age_in_years` does."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def _words(person: Person) -> Iterator[str]:
    """Every string of a profile but the answers."""
    yield from (person.source_key, person.display_name, person.gender, *person.seeks, *person.interests)
    yield from (*person.texts, *person.traits, *person.wants, *person.facts, *person.facts.values())


def _unstorable(words: Iterable[str]) -> bool:
    return UNSTORABLE.search("".join(words)) is not None


def _or(number: float | None, default: float) -> float:
    return default if number is None else number


def _misplaced(person: Person) -> bool:
    if person.latitude is None or person.longitude is None:
        return person.latitude is not person.longitude
    return not (-90 <= person.latitude <= 90 and -180 <= person.longitude <= 180)


def _limits_unusable(person: Person) -> bool:
    ages_fit = 0 <= _or(person.age_min, 0) <= _or(person.age_max, MOST) <= MOST
    return not (ages_fit and 0 <= _or(person.max_distance_km, 0) <= MOST)


REFUSALS: dict[str, Callable[[Person, date], bool]] = {
    "text with a NUL byte or half a character": lambda person, _: _unstorable(
        [*_words(person), *person.texts.values()]
    ),
    "blank source key, name or gender": lambda person, _: (
        not all(map(str.strip, (person.source_key, person.display_name, person.gender)))
    ),
    f"answer longer than {LONGEST_ANSWER:,} characters": lambda person, _: (
        max(map(len, person.texts.values()), default=0) > LONGEST_ANSWER
    ),
    f"name, fact or interest longer than {LONGEST_WORD} characters": lambda person, _: (
        max(map(len, _words(person))) > LONGEST_WORD
    ),
    "birth date in the future": lambda person, today: person.birth_date > today,
    "under 18": lambda person, today: age_in_years(person.birth_date, today) < 18,
    "over 110 years old": lambda person, today: age_in_years(person.birth_date, today) > 110,
    "trait or want that is not a finite number": lambda person, _: (
        not all(map(math.isfinite, (*person.traits.values(), *person.wants.values())))
    ),
    "coordinates incomplete or out of range": lambda person, _: _misplaced(person),
    "age or distance limit out of range": lambda person, _: _limits_unusable(person),
}


def refusal(person: Person, today: date) -> str | None:
    """Why this person cannot be loaded, in words without personal values, or None."""
    return next((reason for reason, applies in REFUSALS.items() if applies(person, today)), None)


def interaction_refusal(interaction: Interaction) -> str | None:
    """Why this interaction cannot be loaded whoever is known, in words without personal values, or None."""
    if interaction.kind not in KINDS:
        return "interaction of an unknown kind"
    if interaction.actor_key == interaction.target_key:
        return "interaction with oneself"
    if _unstorable((interaction.actor_key, interaction.target_key)):
        return STRANGER
    if not (1 <= _or(interaction.position, 1) <= MOST and 0 < _or(interaction.propensity, 1) <= 1):
        return "interaction with a position or propensity out of range"
    return None


def _acceptable_people(people: Iterable[Person], reasons: Counter[str]) -> Iterator[Person]:
    today = datetime.now(UTC).date()
    seen: set[str] = set()
    for person in people:
        reason = "source key seen before in this load" if person.source_key in seen else refusal(person, today)
        if reason is None:
            seen.add(person.source_key)
            yield person
        else:
            reasons[reason] += 1


def _acceptable_interactions(interactions: Iterable[Interaction], reasons: Counter[str]) -> Iterator[Interaction]:
    for interaction in interactions:
        reason = interaction_refusal(interaction)
        if reason is None:
            yield interaction
        else:
            reasons[reason] += 1


def _profile_row(person: Person) -> tuple[object, ...]:
    return (
        profile_id(person.source_key),
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
def _actor_namespace(actor_key: str) -> UUID:
    return uuid5(NAMESPACE, actor_key)


def _interaction_row(line: int, interaction: Interaction) -> tuple[object, ...]:
    return (
        line,
        # The target's key in the actor's namespace: no two pairs of keys can be spelt the same.
        str(uuid5(_actor_namespace(interaction.actor_key), interaction.target_key)),
        interaction.actor_key,
        interaction.target_key,
        interaction.kind,
        interaction.created_at,
        interaction.position,
        interaction.propensity,
    )


def _fill_profiles(connection: Connection, people: Iterable[Person]) -> tuple[int, int, int]:
    connection.exec_driver_sql(upserts.INCOMING_PROFILES)
    _copy(connection, "incoming_profiles", map(_profile_row, people))
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_PROFILES).one()
    return added, changed, seen - added - changed


def _fill_interactions(
    connection: Connection, interactions: Iterable[Interaction], reasons: Counter[str]
) -> tuple[int, int, int]:
    connection.exec_driver_sql(upserts.INCOMING_INTERACTIONS)
    rows = (_interaction_row(line, interaction) for line, interaction in enumerate(interactions))
    copied = _copy(connection, "incoming_interactions", rows)
    strangers = connection.exec_driver_sql(upserts.FORGET_STRANGERS).rowcount
    seen, added, changed = connection.exec_driver_sql(upserts.UPSERT_INTERACTIONS).one()
    reasons.update({STRANGER: strangers, "pair seen before in this load": copied - strangers - seen})
    return added, changed, seen - added - changed


def _copy(connection: Connection, table: str, rows: Iterable[tuple[object, ...]]) -> int:
    """Stream rows into a temporary table and let the planner know its size; the number of rows."""
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    count = 0
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for count, row in enumerate(rows, start=1):
                copy.write_row(row)
                if count % 250_000 == 0:
                    logger.info("%s: %s rows read", table, f"{count:,}")
    except psycopg.OperationalError as error:
        # The first line only: the others may quote the row.
        what = str(error).partition("\n")[0]
        raise DatabaseUnavailable(f"the database was lost while loading; nothing was written: {what}") from error
    connection.exec_driver_sql(f"ANALYZE {table}")
    return count
