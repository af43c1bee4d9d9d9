"""The tables as an ORM has them: every column mapped, as is usual."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import REAL, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSONB, list[Any]: JSONB, list[str]: ARRAY(Text)}


class Profile(Base):
    __tablename__ = "profiles"
    __table_args__ = ({"schema": "app"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source_key: Mapped[str | None]
    display_name: Mapped[str]
    birth_date: Mapped[date]
    gender: Mapped[str]
    seeks: Mapped[list[str]]
    age_min: Mapped[int | None]
    age_max: Mapped[int | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    max_distance_km: Mapped[float | None]
    texts: Mapped[dict[str, Any]]
    interests: Mapped[list[str]]
    traits: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    wants: Mapped[dict[str, Any]]
    paused: Mapped[bool]


class Interaction(Base):
    __tablename__ = "interactions"
    __table_args__ = ({"schema": "app"},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID]
    target_id: Mapped[UUID]
    kind: Mapped[str]
    created_at: Mapped[datetime]


class Block(Base):
    __tablename__ = "blocks"
    __table_args__ = ({"schema": "app"},)

    blocker_id: Mapped[UUID] = mapped_column(primary_key=True)
    blocked_id: Mapped[UUID] = mapped_column(primary_key=True)


class Publication(Base):
    __tablename__ = "publications"
    __table_args__ = ({"schema": "matching"},)

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    created_at: Mapped[datetime]


class MatchList(Base):
    __tablename__ = "match_lists"
    __table_args__ = ({"schema": "matching"},)

    publication_id: Mapped[int] = mapped_column(primary_key=True)
    viewer_id: Mapped[UUID] = mapped_column(primary_key=True)
    candidate_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    p_match: Mapped[list[float]] = mapped_column(ARRAY(REAL))
    reasons: Mapped[list[Any]]
