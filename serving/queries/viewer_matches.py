"""A viewer's matches and pending likes, without users who may no longer be shown."""

from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.queries.cards import TEMPLATES, CardRows
from serving.queries.cursor import Cursor
from serving.queries.read_pool import fetch_row

MAX_MATCHES = 50
"""Shorter lists are topped up to this length over all pages."""
MAX_LIKES = 400
"""Pending likes on all pages together. A cursor names those already shown, and must fit into an address."""

# One statement is one snapshot: it sees a complete publication and all interactions and blocks up to now.
_ANSWER = "SELECT publication_id, publication, listed, people, topped_up, matches FROM"
PAGE = f"""{_ANSWER} matching_api.read_matches(
    %(viewer_id)s, %(limit)s, %(room)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
LIKES_PAGE = f"""{_ANSWER} matching_api.read_likes(
    %(viewer_id)s, %(limit)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
_ONE = f"{_ANSWER} matching_api.read_match(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_ONE_LIKE = f"{_ANSWER} matching_api.read_like(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_MOST_COMPATIBLE = f"{_ANSWER} matching_api.read_most_compatible(%(viewer_id)s, %(sentences)s)"
_SIMILAR = f"{_ANSWER} matching_api.read_similar(%(viewer_id)s, %(limit)s, %(sentences)s)"


class PublicationGone(Exception):
    """The publication of a cursor is no longer kept."""


class CardPage(NamedTuple):
    """A page of a viewer's matches or pending likes, and the cursor of the next page."""

    shown: CardRows
    next: Cursor | None
    """None at the end of the list."""


async def fetch_page(pool: AsyncConnectionPool, viewer_id: UUID, limit: int, cursor: Cursor | None) -> CardPage | None:
    """Return the first `limit` matches of a viewer, or those after `cursor`; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    room = min(limit, MAX_MATCHES - len(cursor.shown if cursor else ()))
    shown = await _fetch_cards_after(pool, PAGE, viewer_id, cursor, limit=limit, room=room)
    if shown is None:
        return None
    return CardPage(shown, _make_next_cursor(cursor, shown, limit, max(MAX_MATCHES, shown.listed)))


async def fetch_likes(pool: AsyncConnectionPool, viewer_id: UUID, limit: int, cursor: Cursor | None) -> CardPage | None:
    """Return the first `limit` pending likes of a viewer, or those after `cursor`; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    shown = await _fetch_cards_after(pool, LIKES_PAGE, viewer_id, cursor, limit=limit)
    return None if shown is None else CardPage(shown, _make_next_cursor(cursor, shown, limit, MAX_LIKES))


async def _fetch_cards_after(
    pool: AsyncConnectionPool, asked: str, viewer_id: UUID, cursor: Cursor | None, **more: object
) -> CardRows | None:
    begun = cursor or Cursor(None, ())
    publication_id = None if cursor is None else begun.publication_id or 0
    shown = await _fetch_cards(pool, asked, viewer_id, shown=list(begun.shown), begun=publication_id, **more)
    if shown is not None and cursor is not None and begun.publication_id != shown.publication_id:
        raise PublicationGone
    return shown


def _make_next_cursor(cursor: Cursor | None, shown: CardRows, limit: int, most: int) -> Cursor | None:
    begun = cursor or Cursor(None, ())
    total = len(begun.shown) + len(shown.people)
    if len(shown.people) < limit or total >= most:
        return None
    return Cursor(shown.publication_id, [*begun.shown, *shown.people])


async def fetch_one(pool: AsyncConnectionPool, viewer_id: UUID, candidate_id: UUID) -> CardRows | None:
    """Return this candidate if the API shows them to the viewer now; None if there is no such viewer.

    The card comes from the newest kept publication that shows the candidate, else from the similar users.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(pool, _ONE, viewer_id, candidate_id=candidate_id)


async def fetch_like(pool: AsyncConnectionPool, viewer_id: UUID, candidate_id: UUID) -> CardRows | None:
    """Return this candidate if their like of the viewer is pending; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(pool, _ONE_LIKE, viewer_id, candidate_id=candidate_id)


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
