"""A viewer's conversations, without those whose other person may no longer be shown."""

from serving.queries.cursor import Cursor
from serving.queries.viewer_matches import SELECT_ANSWER, Asker, CardPage, fetch_cards_after, make_next_cursor

MAX_CONVERSATIONS = 400
"""Conversations on all pages together. A cursor names those already shown, and must fit into an address."""

PAGE = f"""{SELECT_ANSWER} matching_api.read_conversations(
    %(viewer_id)s, %(limit)s, %(sentences)s, %(shown)s::bigint[])"""


async def fetch_conversations(asker: Asker, limit: int, cursor: Cursor | None) -> CardPage | None:
    """Return the first `limit` conversations of a viewer, or those after `cursor`; None if there is no such viewer.

    The page has conversations where others have cards of candidates, and is of no publication.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    speaker = asker._replace(sentences=asker.openers)
    shown = await fetch_cards_after(speaker, PAGE, cursor, limit=limit)
    return None if shown is None else CardPage(shown, make_next_cursor(cursor, shown, limit, MAX_CONVERSATIONS))
