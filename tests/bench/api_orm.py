"""The matches endpoint as it is usually written: an ORM, a query a table, the rules in Python, Pydantic at the end.

It applies all of the API's rules and answers the same, without ETag, cursor and top-up.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from serving.dependencies import Limit, Viewer
from serving.queries.reason_sentences import SENTENCES
from serving.schemas import FARTHEST_KM, Candidate, Match, Matches, Reason
from serving.schemas import Publication as PublicationOut
from tests.bench.api_orm_tables import Block, Interaction, MatchList, Profile, Publication

EARTH_KM = 6371.0088
CLOSE_KM = 25.0

router = APIRouter()


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


@router.get("/orm/matches")
async def get_matches(
    viewer: Viewer, session: Annotated[AsyncSession, Depends(_session)], limit: Limit = 20
) -> Matches:
    me = await session.get(Profile, viewer)
    if me is None:
        raise HTTPException(401)
    publication = await session.scalar(select(Publication).where(Publication.state == "live"))
    if publication is None:
        return Matches(publication=None, matches=[], next_cursor=None, topped_up=False)
    listed = await session.get(MatchList, (publication.id, me.id))
    matches = [] if listed is None else await _matches(session, me, listed, limit)
    made = PublicationOut(id=publication.id, made_at=publication.created_at)
    return Matches(publication=made, matches=matches, next_cursor=None, topped_up=False)


async def _matches(session: AsyncSession, me: Profile, listed: MatchList, limit: int) -> list[Match]:
    ids = listed.candidate_ids
    candidates = {each.id: each for each in await session.scalars(select(Profile).where(Profile.id.in_(ids)))}
    for gone in await _hidden(session, me, ids):
        candidates.pop(gone, None)
    matches: list[Match] = []
    for candidate_id, p_match, reasons in zip(ids, listed.p_match, listed.reasons, strict=True):
        candidate = candidates.get(candidate_id)
        if candidate is not None and len(matches) < limit and _eligible(me, candidate):
            matches.append(_match(len(matches) + 1, me, candidate, p_match, reasons))
    return matches


async def _hidden(session: AsyncSession, me: Profile, ids: list[UUID]) -> set[UUID]:
    met = select(Interaction).where(Interaction.actor_id == me.id, Interaction.target_id.in_(ids))
    blocks = select(Block).where(
        or_(
            (Block.blocker_id == me.id) & Block.blocked_id.in_(ids),
            (Block.blocked_id == me.id) & Block.blocker_id.in_(ids),
        )
    )
    hidden = {interaction.target_id for interaction in await session.scalars(met)}
    for block in await session.scalars(blocks):
        hidden |= {block.blocker_id, block.blocked_id}
    return hidden


def _eligible(me: Profile, other: Profile) -> bool:
    distance = _distance_km(me, other)
    reach = min((each for each in (me.max_distance_km, other.max_distance_km) if each is not None), default=None)
    return (
        not me.paused
        and not other.paused
        and other.gender in me.seeks
        and me.gender in other.seeks
        and _wants_the_age_of(me, other)
        and _wants_the_age_of(other, me)
        and (distance is None or reach is None or distance <= reach)
    )


def _wants_the_age_of(one: Profile, other: Profile) -> bool:
    return max(one.age_min or 18, 18) <= _age(other) <= min(one.age_max or 110, 110)


def _age(person: Profile) -> int:
    today, born = date.today(), person.birth_date  # noqa: DTZ011 -- as the database's current_date here
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _distance_km(a: Profile, b: Profile) -> float | None:
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    here, there = _round_coordinate(a.latitude), _round_coordinate(b.latitude)
    north, east = there - here, _round_coordinate(b.longitude) - _round_coordinate(a.longitude)
    chord = sin(north / 2) ** 2 + cos(here) * cos(there) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(min(1, sqrt(chord)))


def _round_coordinate(degrees: float) -> float:
    """The degrees by their cell, in radians."""
    return radians(round(degrees * 100) / 100)


def _match(rank: int, me: Profile, other: Profile, p_match: float, reasons: list[dict[str, Any]]) -> Match:
    distance = _distance_km(me, other)
    card = Candidate(
        id=other.id,
        name=other.display_name,
        age=_age(other),
        gender=other.gender,
        distance_km=None if distance is None else min(FARTHEST_KM, round(distance)),
        interests=other.interests,
        texts=other.texts,
    )
    told = [Reason(code=each["code"], sentence=_sentence(each)) for each in _true(reasons, me, other, distance)]
    return Match(rank=rank, candidate=card, p_match_percent=round(100 * p_match), reasons=told, source="published")


def _true(
    reasons: list[dict[str, Any]], me: Profile, other: Profile, distance: float | None
) -> Iterator[dict[str, Any]]:
    """Those reasons of the benchmark's people that are true now."""
    for reason in reasons:
        both = [word for word in reason["detail"] if word in me.interests and word in other.interests]
        if reason["code"] == "shared_interests" and both:
            yield reason | {"detail": both}
        elif reason["code"] == "close_by" and distance is not None and distance <= CLOSE_KM:
            yield reason


def _sentence(reason: dict[str, Any]) -> str:
    return SENTENCES[reason["code"]].format(detail=" and ".join(_parts(reason["detail"])))


def _parts(detail: list[str]) -> Iterator[str]:
    if detail[:-1]:
        yield ", ".join(detail[:-1])
    yield from detail[-1:]
