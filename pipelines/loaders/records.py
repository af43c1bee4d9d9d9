"""The records that sources provide and the report that loads return."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

Counts = tuple[int, int, int]
"""Rows added, changed and unchanged."""


@dataclass(frozen=True)
class Person:
    """A profile as a source provides it."""

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
    """A like or pass between people identified by source key. `created_at` has a time zone."""

    actor_key: str
    target_key: str
    kind: str
    created_at: datetime
    position: int | None = None
    propensity: float | None = None


@dataclass(frozen=True)
class Refusal:
    """A row that is not loaded."""

    reason: str
    """Without personal values, so that equal reasons can be counted."""


@dataclass(frozen=True)
class Source:
    """The content of one file."""

    people: Sequence[Person]
    interactions: Sequence[Interaction]
    refused: Counter[str]
    notes: tuple[str, ...] = ()
    no_answers: Counter[str] = field(default_factory=Counter)
    """Number of words that stand for no answer, such as `NA`, by column."""


@dataclass(frozen=True)
class LoadReport:
    """The numbers of rows that a load added, changed, left unchanged and refused, the latter by reason."""

    profiles_added: int
    profiles_changed: int
    profiles_unchanged: int
    interactions_added: int
    interactions_changed: int
    interactions_unchanged: int
    refused: Counter[str]
    notes: tuple[str, ...] = ()
    no_answers: Counter[str] = field(default_factory=Counter)
    """Number of words that stand for no answer, such as `NA`, by column."""
    conversations: dict[str, Counts] = field(default_factory=dict)
    """The same for what follows matches, by table of `app`; empty if the source has no conversations."""


def compute_age(birth_date: date, on: date) -> int:
    """Return the age in completed years on a day, as `matching.age_in_years` computes it."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def estimate_birth_date(age: int, on: date) -> date:
    """Return the estimated birth date for an age on a day: half a year before the latest date that gives this age."""
    return on - timedelta(days=365.2425 * (age + 0.5))
