"""A viewer's matches and pending likes, without users who may no longer be shown."""

from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.queries.cards import CardRows
from serving.queries.cursor import Cursor
from serving.queries.read_pool import fetch_row

MAX_MATCHES = 50
"""Shorter lists are topped up to this length over all pages."""
MAX_LIKES = 400
"""Pending likes on all pages together. A cursor names those already shown, and must fit into an address."""

# One statement is one snapshot: it sees a complete publication and all interactions and blocks up to now.
SELECT_ANSWER = "SELECT publication_id, publication, listed, people, topped_up, matches FROM"
PAGE = f"""{SELECT_ANSWER} matching_api.read_matches(
    %(viewer_id)s, %(limit)s, %(room)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
LIKES_PAGE = f"""{SELECT_ANSWER} matching_api.read_likes(
    %(viewer_id)s, %(limit)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
_ONE = f"{SELECT_ANSWER} matching_api.read_match(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_ONE_LIKE = f"{SELECT_ANSWER} matching_api.read_like(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_MOST_COMPATIBLE = f"{SELECT_ANSWER} matching_api.read_most_compatible(%(viewer_id)s, %(sentences)s)"
_SIMILAR = f"{SELECT_ANSWER} matching_api.read_similar(%(viewer_id)s, %(limit)s, %(sentences)s)"
_EMPTY = "SELECT matching_api.explain_empty(%(viewer_id)s)"


class Asker(NamedTuple):
    """Who asks the database: the viewer, in the viewer's language."""

    pool: AsyncConnectionPool
    viewer_id: UUID
    sentences: str
    """The templates of reasons, JSON of `serving.queries.wording`. PostgreSQL fills them in, so that Python need not
    parse its response. Codes without a sentence are left out: a newer pipeline may know others than this process."""
    openers: str
    """The templates of openers, likewise."""


class PublicationGone(Exception):
    """The publication of a cursor is no longer kept."""


class CardPage(NamedTuple):
    """A page of a viewer's matches or pending likes, and the cursor of the next page."""

    shown: CardRows
    next: Cursor | None
    """None at the end of the list."""


async def fetch_page(asker: Asker, limit: int, cursor: Cursor | None) -> CardPage | None:
    """Return the first `limit` matches of a viewer, or those after `cursor`; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    room = min(limit, MAX_MATCHES - len(cursor.shown if cursor else ()))
    shown = await fetch_cards_after(asker, PAGE, cursor, limit=limit, room=room)
    if shown is None:
        return None
    return CardPage(shown, make_next_cursor(cursor, shown, limit, max(MAX_MATCHES, shown.listed)))


async def fetch_likes(asker: Asker, limit: int, cursor: Cursor | None) -> CardPage | None:
    """Return the first `limit` pending likes of a viewer, or those after `cursor`; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    shown = await fetch_cards_after(asker, LIKES_PAGE, cursor, limit=limit)
    return None if shown is None else CardPage(shown, make_next_cursor(cursor, shown, limit, MAX_LIKES))


async def fetch_cards_after(asker: Asker, asked: str, cursor: Cursor | None, **more: object) -> CardRows | None:
    """Return what a statement finds beyond the pages before; None if there is no such viewer.

    Raises:
        PublicationGone: The publication of the cursor is no longer kept.
        DatabaseUnavailable: The database cannot be read.
    """
    begun = cursor or Cursor(None, ())
    publication_id = None if cursor is None else begun.publication_id or 0
    shown = await _fetch_cards(asker, asked, shown=list(begun.shown), begun=publication_id, **more)
    if shown is not None and cursor is not None and begun.publication_id != shown.publication_id:
        raise PublicationGone
    return shown


def make_next_cursor(cursor: Cursor | None, shown: CardRows, limit: int, most: int) -> Cursor | None:
    """Return the cursor after a page of at most `limit`, or None at the end, of `most` on all pages."""
    begun = cursor or Cursor(None, ())
    total = len(begun.shown) + len(shown.people)
    if len(shown.people) < limit or total >= most:
        return None
    return Cursor(shown.publication_id, [*begun.shown, *shown.people])


async def fetch_one(asker: Asker, candidate_id: UUID) -> CardRows | None:
    """Return this candidate if the API shows them to the viewer now; None if there is no such viewer.

    The card comes from the newest kept publication that shows the candidate, else from the similar users.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(asker, _ONE, candidate_id=candidate_id)


async def fetch_like(asker: Asker, candidate_id: UUID) -> CardRows | None:
    """Return this candidate if their like of the viewer is pending; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(asker, _ONE_LIKE, candidate_id=candidate_id)


async def fetch_most_compatible(asker: Asker) -> CardRows | None:
    """Return the viewer's most compatible candidate, if there is one; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(asker, _MOST_COMPATIBLE)


async def fetch_similar(asker: Asker, limit: int) -> CardRows | None:
    """Return the eligible users most similar to the viewer; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    return await _fetch_cards(asker, _SIMILAR, limit=limit)


async def explain_empty(asker: Asker) -> str | None:
    """Return why the viewer's list is empty, one of `serving.schemas.EmptyReason`; None if there is no such viewer.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    row = await fetch_row(asker.pool, _EMPTY, {"viewer_id": asker.viewer_id})
    return None if row is None else row[0]


async def _fetch_cards(asker: Asker, asked: str, **more: object) -> CardRows | None:
    parameters = {"viewer_id": asker.viewer_id, "sentences": asker.sentences} | more
    row = await fetch_row(asker.pool, asked, parameters)
    return None if row is None else CardRows(*row)
