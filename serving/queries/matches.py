"""A viewer's matches: the published list, less who is not to be shown any more, topped up with similar people."""

from typing import NamedTuple
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from serving.cursor import Cursor
from serving.database import fetch_row
from serving.queries.cards import BEGUN, HAS_THEM, LIVE, TEMPLATES, Shown, statement

FULL = 50
"""A list of fewer people is topped up to so many, over all its pages."""

_LIST = """
            SELECT place.candidate_id, place.p_match, place.reasons, place.place, 'published'
            FROM ROWS FROM (
                unnest(list.candidate_ids), unnest(list.p_match), jsonb_array_elements(list.reasons)
            ) WITH ORDINALITY AS place (candidate_id, p_match, reasons, place)"""

# Of an earlier publication, less the people whom the live one withholds: what is answered at one moment knows of the
# same passes, whichever publication it is of. The live list shows none of them.
_NOT_WITHHELD = "<> ALL ((SELECT matching.withheld_from(viewer.id))::uuid[])"
_BEGUN_LIST = f"""{_LIST}
            WHERE candidate_id {_NOT_WITHHELD}"""

# After everybody of the list, and nobody of it, whether they are still shown or not.
_SIMILAR_PEOPLE = """
            UNION ALL
            SELECT neighbour.id, NULL, NULL, coalesce(cardinality(list.candidate_ids), 0) + neighbour.place, 'similar'
            FROM matching.neighbours(viewer.id, %(limit)s, list.candidate_ids, %(shown)s::bigint[])
                WITH ORDINALITY AS neighbour (id, place)"""

_PAGE = {
    (publication, topped_up): statement(f"({listed}{more})", publication)
    for publication, listed in ((LIVE, _LIST), (BEGUN, _BEGUN_LIST))
    for topped_up, more in ((False, ""), (True, _SIMILAR_PEOPLE))
}
FIRST_PAGE = _PAGE[LIVE, False]
"""What nearly all requests run, and alone; its parameters are viewer_id, limit, shown (no hashes) and sentences."""

_PARTNER = """
            SELECT most_compatible_id, most_compatible_p_match, most_compatible_reasons, 1, 'published'"""
_MOST_COMPATIBLE = statement(f"({_PARTNER})")

# On the list they have their place there; the one of the day who is not on it comes alone, and so first.
_ONE_PUBLISHED = statement(
    f"""({_LIST}
            WHERE %(candidate_id)s = ANY (list.candidate_ids) AND candidate_id {_NOT_WITHHELD}
            UNION ALL{_PARTNER}
            WHERE %(candidate_id)s <> ALL (list.candidate_ids) AND most_compatible_id {_NOT_WITHHELD}
        )""",
    HAS_THEM,
    only="candidate_id = %(candidate_id)s",
)
# Whoever fills up a list is one of the FULL nearest of all: those of the list who may be shown come before them, on
# the pages as well. So this finds everybody whom any page or `similar` shows as such, and nobody else.
_ONE_SIMILAR = statement(
    f"""({_LIST}
            UNION ALL
            SELECT neighbour.id, NULL, NULL, coalesce(cardinality(list.candidate_ids), 0) + neighbour.place, 'similar'
            FROM matching.neighbours(viewer.id, {FULL}, NULL, NULL) WITH ORDINALITY AS neighbour (id, place)
            WHERE neighbour.id = ANY (list.candidate_ids) IS NOT TRUE
        )""",  # noqa: S608 -- as in cards.py
    only="candidate_id = %(candidate_id)s",
)
_SIMILAR = statement("""(
            SELECT neighbour.id, NULL::real, NULL::jsonb, neighbour.place, 'similar'
            FROM matching.neighbours(viewer.id, %(limit)s, NULL, NULL) WITH ORDINALITY AS neighbour (id, place)
        )""")


class PublicationGone(Exception):
    """The publication that a cursor was made for is not kept any more."""


class Page(NamedTuple):
    """Some of a viewer's matches, and what comes after them."""

    shown: Shown
    next: Cursor | None
    """None at the end."""


async def page(pool: AsyncConnectionPool, viewer_id: UUID, limit: int, cursor: Cursor | None) -> Page | None:
    """The first `limit` matches of a viewer, or those after a cursor's; None if there is no such person.

    Raises PublicationGone if the cursor's publication is not kept any more, and DatabaseUnavailable.
    """
    publication = LIVE if cursor is None else BEGUN
    begun = cursor or Cursor(None, ())
    room = min(limit, FULL - len(begun.shown))
    parameters = {"publication_id": begun.publication_id, "shown": list(begun.shown)}
    shown = await _shown(pool, _PAGE[publication, False], viewer_id, limit, **parameters)
    if shown is not None and len(shown.people) < room:
        shown = await _shown(pool, _PAGE[publication, True], viewer_id, room, **parameters)
    if shown is None:
        return None
    if begun.publication_id != shown.publication_id and cursor is not None:
        raise PublicationGone
    return Page(shown, _next(begun, shown, limit))


def _next(begun: Cursor, shown: Shown, limit: int) -> Cursor | None:
    total = len(begun.shown) + len(shown.people)
    if len(shown.people) < limit or total >= max(FULL, shown.listed):
        return None
    return Cursor(shown.publication_id, [*begun.shown, *shown.people])


async def one(pool: AsyncConnectionPool, viewer_id: UUID, candidate_id: UUID) -> Shown | None:
    """This candidate, if the API shows them to the viewer now; None if there is no such viewer.

    They are as the newest publication has them that did, else as one of the similar people. Raises DatabaseUnavailable.
    """
    shown = await _shown(pool, _ONE_PUBLISHED, viewer_id, None, candidate_id=candidate_id)
    if shown is None or shown.people:
        return shown
    return await _shown(pool, _ONE_SIMILAR, viewer_id, None, candidate_id=candidate_id)


async def most_compatible(pool: AsyncConnectionPool, viewer_id: UUID) -> Shown | None:
    """The viewer's person of the day, if there is one; None if there is no such viewer. Raises DatabaseUnavailable."""
    return await _shown(pool, _MOST_COMPATIBLE, viewer_id, 1)


async def similar(pool: AsyncConnectionPool, viewer_id: UUID, limit: int) -> Shown | None:
    """The eligible people most like the viewer; None if there is no such viewer. Raises DatabaseUnavailable."""
    return await _shown(pool, _SIMILAR, viewer_id, limit)


async def _shown(
    pool: AsyncConnectionPool, asked: str, viewer_id: UUID, limit: int | None, **more: object
) -> Shown | None:
    parameters = {"shown": [], "viewer_id": viewer_id, "limit": limit, "sentences": TEMPLATES}
    row = await fetch_row(pool, asked, parameters | more)
    return None if row is None else Shown(*row)
