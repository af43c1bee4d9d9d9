"""A viewer's matches: the published list, less who is not to be shown any more, topped up with similar people."""

from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.queries.cards import TEMPLATES, CardRows
from serving.queries.cursor import Cursor
from serving.queries.read_pool import fetch_row

MAX_MATCHES = 50
"""A list of fewer people is topped up to so many, over all its pages."""

# One statement is one snapshot: it sees a publication whole, and what people did until this moment.
_ANSWER = "SELECT publication_id, publication, listed, people, topped_up, matches FROM"
PAGE = f"""{_ANSWER} matching_api.read_matches(
    %(viewer_id)s, %(limit)s, %(room)s, %(sentences)s, %(shown)s::bigint[], %(begun)s)"""
_ONE = f"{_ANSWER} matching_api.read_match(%(viewer_id)s, %(candidate_id)s, %(sentences)s)"
_MOST_COMPATIBLE = f"{_ANSWER} matching_api.read_most_compatible(%(viewer_id)s, %(sentences)s)"
_SIMILAR = f"{_ANSWER} matching_api.read_similar(%(viewer_id)s, %(limit)s, %(sentences)s)"


class PublicationGone(Exception):
    """The publication that a cursor was made for is not kept any more."""


class MatchPage(NamedTuple):
    """Some of a viewer's matches, and what comes after them."""

    shown: CardRows
    next: Cursor | None
    """None at the end."""


async def fetch_page(pool: AsyncConnectionPool, viewer_id: UUID, limit: int, cursor: Cursor | None) -> MatchPage | None:
    """The first `limit` matches of a viewer, or those after a cursor's; None if there is no such person.

    Raises PublicationGone if the cursor's publication is not kept any more, and DatabaseUnavailable.
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
    """This candidate, if the API shows them to the viewer now; None if there is no such viewer.

    They are as the newest publication has them that did, else as one of the similar people. Raises DatabaseUnavailable.
    """
    return await _fetch_cards(pool, _ONE, viewer_id, candidate_id=candidate_id)


async def fetch_most_compatible(pool: AsyncConnectionPool, viewer_id: UUID) -> CardRows | None:
    """The viewer's person of the day, if there is one; None if there is no such viewer. Raises DatabaseUnavailable."""
    return await _fetch_cards(pool, _MOST_COMPATIBLE, viewer_id)


async def fetch_similar(pool: AsyncConnectionPool, viewer_id: UUID, limit: int) -> CardRows | None:
    """The eligible people most like the viewer; None if there is no such viewer. Raises DatabaseUnavailable."""
    return await _fetch_cards(pool, _SIMILAR, viewer_id, limit=limit)


async def _fetch_cards(pool: AsyncConnectionPool, asked: str, viewer_id: UUID, **more: object) -> CardRows | None:
    row = await fetch_row(pool, asked, {"viewer_id": viewer_id, "sentences": TEMPLATES} | more)
    return None if row is None else CardRows(*row)
