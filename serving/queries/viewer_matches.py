"""A viewer's matches: the published list without candidates who may no longer be shown, then similar users."""

from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.queries.cards import TEMPLATES, CardRows
from serving.queries.cursor import Cursor
from serving.queries.read_pool import fetch_row

MAX_MATCHES = 50
"""Shorter lists are topped up to this length over all pages."""

# One statement is one snapshot: it sees a complete publication and all interactions and blocks up to now.
_ANSWER = "SELECT publication_id, publication, listed, people, topped_up, matches FROM"
PAGE = f"""{_ANSWER} matching_api.read_matches(
    %(viewer_id)s, %(limit)s, %(room)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
_ONE = f"{_ANSWER} matching_api.read_match(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_MOST_COMPATIBLE = f"{_ANSWER} matching_api.read_most_compatible(%(viewer_id)s, %(sentences)s)"
_SIMILAR = f"{_ANSWER} matching_api.read_similar(%(viewer_id)s, %(limit)s, %(sentences)s)"


class PublicationGone(Exception):
    """The publication of a cursor is no longer kept."""


class MatchPage(NamedTuple):
    """A page of a viewer's matches and the cursor of the next page."""

    shown: CardRows
    next: Cursor | None
    """None at the end of the list."""


async def fetch_page(pool: AsyncConnectionPool, viewer_id: UUID, limit: int, cursor: Cursor | None) -> MatchPage | None:
    """Return the first `limit` matches of a viewer, or those after `cursor`; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    begun = cursor or Cursor(None, ())
    shown = await _fetch_cards(
        pool,
        PAGE,
        viewer_id,
        limit=limit,
        room=min(limit, MAX_MATCHES - len(begun.shown)),
        shown=list(begun.shown),
        begun=None if cursor is None else begun.publication_id or 0,
    )
    if shown is None:
        return None
    if begun.publication_id != shown.publication_id and cursor is not None:
        raise PublicationGone
    return MatchPage(shown, _make_next_cursor(begun, shown, limit))


def _make_next_cursor(begun: Cursor, shown: CardRows, limit: int) -> Cursor | None:
    total = len(begun.shown) + len(shown.people)
    if len(shown.people) < limit or total >= max(MAX_MATCHES, shown.listed):
        return None
    return Cursor(shown.publication_id, [*begun.shown, *shown.people])


async def fetch_one(pool: AsyncConnectionPool, viewer_id: UUID, candidate_id: UUID) -> CardRows | None:
    """Return this candidate if the API shows them to the viewer now; None if there is no such viewer.

    The card comes from the newest kept publication that shows the candidate, else from the similar users.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(pool, _ONE, viewer_id, candidate_id=candidate_id)


async def fetch_most_compatible(pool: AsyncConnectionPool, viewer_id: UUID) -> CardRows | None:
    """Return the viewer's most compatible candidate, if there is one; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(pool, _MOST_COMPATIBLE, viewer_id)


async def fetch_similar(pool: AsyncConnectionPool, viewer_id: UUID, limit: int) -> CardRows | None:
    """Return the eligible users most similar to the viewer; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(pool, _SIMILAR, viewer_id, limit=limit)


async def _fetch_cards(pool: AsyncConnectionPool, asked: str, viewer_id: UUID, **more: object) -> CardRows | None:
    row = await fetch_row(pool, asked, {"viewer_id": viewer_id, "sentences": TEMPLATES} | more)
    return None if row is None else CardRows(*row)
