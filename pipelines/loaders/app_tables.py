"""Write people and interactions into the app tables, once each, however often they are loaded."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid5

from sqlalchemy import Engine

NAMESPACE = UUID("5d6d1f6e-2b1c-5a44-9d0e-6c7f1b1f0d11")


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
    """One like or pass, between people named by source key."""

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
    """Insert or update the people and interactions in one transaction."""
    raise NotImplementedError
