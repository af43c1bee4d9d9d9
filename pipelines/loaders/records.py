"""What a source gives and what a load answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


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
    """Words that stand for no answer, such as `NA`, by column."""


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
    no_answers: Counter[str] = field(default_factory=Counter)
    """Words that stood for no answer, such as `NA`, by column."""


def compute_age(birth_date: date, on: date) -> int:
    """Completed years of age on a day, as people count them and as `matching.age_in_years` does."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def estimate_birth_date(age: int, on: date) -> date:
    """The birth date taken for somebody whose age on a day is all that is known: born half a year earlier still."""
    return on - timedelta(days=365.2425 * (age + 0.5))
