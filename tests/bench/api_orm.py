"""The matches endpoint as it is usually written: an ORM, a query a table, the rules in Python, Pydantic at the end.

It applies all of the API's rules and returns the same, without ETag, cursor and top-up.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from math import asin, cos, radians, sin, sqrt
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import registry

from models.db.schema import tables
from serving.dependencies import Limit, Viewer
from serving.queries.reason_sentences import SENTENCES, ReasonCode
from serving.schemas import FARTHEST_KM, Candidate, Match, Matches, Reason
from serving.schemas import Publication as PublicationOut

EARTH_KM = 6371.0088
CLOSE_KM = 25.0

router = APIRouter()


class Row:
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401 -- a column's value


class Profile(Row): ...


class Interaction(Row): ...


class Block(Row): ...


class Publication(Row): ...


class MatchList(Row): ...


orm = registry()
orm.map_imperatively(Profile, tables.profiles, exclude_properties=["created_at", "updated_at"])
orm.map_imperatively(Interaction, tables.interactions, exclude_properties=["publication_id", "position", "propensity"])
orm.map_imperatively(Block, tables.blocks, exclude_properties=["created_at"])
orm.map_imperatively(Publication, tables.publications, include_properties=["id", "state", "created_at"])
LIST_COLUMNS = ["publication_id", "viewer_id", "candidate_ids", "p_match", "reasons"]
orm.map_imperatively(MatchList, tables.match_lists, include_properties=LIST_COLUMNS)


async def _open_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


@router.get("/orm/matches")
async def get_matches(
    viewer: Viewer, session: Annotated[AsyncSession, Depends(_open_session)], limit: Limit = 20
) -> Matches:
    me = await session.get(Profile, str(viewer))
    if me is None:
        raise HTTPException(401)
    publication = await session.scalar(select(Publication).where(tables.publications.c.state == "live"))
    if publication is None:
        return Matches(publication=None, matches=[], next_cursor=None, topped_up=False, empty_because=None)
    listed = await session.get(MatchList, (publication.id, me.id))
    matches = [] if listed is None else await _find_matches(session, me, listed, limit)
    made = PublicationOut(id=publication.id, made_at=publication.created_at)
    return Matches(publication=made, matches=matches, next_cursor=None, topped_up=False, empty_because=None)


async def _find_matches(session: AsyncSession, me: Profile, listed: MatchList, limit: int) -> list[Match]:
    ids = listed.candidate_ids
    found = await session.scalars(select(Profile).where(tables.profiles.c.id.in_(ids)))
    candidates = {each.id: each for each in found}
    for hidden in await _find_hidden(session, me, ids):
        candidates.pop(hidden, None)
    matches: list[Match] = []
    for candidate_id, p_match, reasons in zip(ids, listed.p_match, listed.reasons, strict=True):
        candidate = candidates.get(candidate_id)
        if candidate is not None and len(matches) < limit and _is_eligible(me, candidate):
            matches.append(_make_match(len(matches) + 1, me, candidate, p_match, reasons))
    return matches


async def _find_hidden(session: AsyncSession, me: Profile, ids: list[str]) -> set[str]:
    decided, block = tables.interactions.c, tables.blocks.c
    met = select(Interaction).where(decided.actor_id == me.id, decided.target_id.in_(ids))
    blocks = select(Block).where(
        or_(
            (block.blocker_id == me.id) & block.blocked_id.in_(ids),
            (block.blocked_id == me.id) & block.blocker_id.in_(ids),
        )
    )
    hidden: set[str] = {interaction.target_id for interaction in await session.scalars(met)}
    for each in await session.scalars(blocks):
        hidden |= {each.blocker_id, each.blocked_id}
    return hidden


def _is_eligible(me: Profile, other: Profile) -> bool:
    distance = _compute_distance(me, other)
    reach = min((each for each in (me.max_distance_km, other.max_distance_km) if each is not None), default=None)
    return (
        not me.paused
        and not other.paused
        and other.gender in me.seeks
        and me.gender in other.seeks
        and _seeks_age_of(me, other)
        and _seeks_age_of(other, me)
        and (distance is None or reach is None or distance <= reach)
    )


def _seeks_age_of(one: Profile, other: Profile) -> bool:
    return bool(max(one.age_min or 18, 18) <= _compute_age(other) <= min(one.age_max or 110, 110))


def _compute_age(person: Profile) -> int:
    today, born = date.today(), person.birth_date  # noqa: DTZ011 -- as the database's current_date here
    return int(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


def _compute_distance(a: Profile, b: Profile) -> float | None:
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    here, there = _round_coordinate(a.latitude), _round_coordinate(b.latitude)
    north, east = there - here, _round_coordinate(b.longitude) - _round_coordinate(a.longitude)
    chord = sin(north / 2) ** 2 + cos(here) * cos(there) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(min(1, sqrt(chord)))


def _round_coordinate(degrees: float) -> float:
    """The degrees of the cell, in radians."""
    return radians(round(degrees * 100) / 100)


def _make_match(rank: int, me: Profile, other: Profile, p_match: float, reasons: list[dict[str, Any]]) -> Match:
    distance = _compute_distance(me, other)
    card = Candidate(
        id=UUID(other.id),
        name=other.display_name,
        age=_compute_age(other),
        gender=other.gender,
        distance_km=None if distance is None else min(FARTHEST_KM, round(distance)),
        interests=other.interests,
        texts=other.texts,
    )
    shown = [Reason(code=code, sentence=_write(code, detail)) for code, detail in _hold(reasons, me, other, distance)]
    return Match(rank=rank, candidate=card, p_match_percent=round(100 * p_match), reasons=shown, source="published")


def _hold(
    reasons: list[dict[str, Any]], me: Profile, other: Profile, distance: float | None
) -> Iterator[tuple[ReasonCode, list[str]]]:
    """Those reasons of the benchmark's lists that hold now."""
    for reason in reasons:
        both = [word for word in reason["detail"] if word in me.interests and word in other.interests]
        if reason["code"] == "shared_interests" and both:
            yield "shared_interests", both
        elif reason["code"] == "close_by" and distance is not None and distance <= CLOSE_KM:
            yield "close_by", []


def _write(code: ReasonCode, detail: list[str]) -> str:
    parts = [", ".join(detail[:-1]), *detail[-1:]] if detail[:-1] else detail
    return SENTENCES[code].format(detail=" and ".join(parts))
