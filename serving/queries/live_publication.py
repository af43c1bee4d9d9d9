"""The query for the live publication."""

from datetime import datetime
from typing import NamedTuple

from psycopg_pool import AsyncConnectionPool

from serving.queries.read_pool import fetch_row

_LIVE = "SELECT id, made_at, viewers, pairs, age_seconds FROM matching_api.read_publication()"


class LivePublication(NamedTuple):
    """The live publication, its size and its age."""

    id: int
    made_at: datetime
    viewers: int
    pairs: int
    age_seconds: int


async def fetch_live_publication(pool: AsyncConnectionPool) -> LivePublication | None:
    """Return the live publication, or None if there is none.

    Raises:
        DatabaseUnavailable: The database cannot be read.
    """
    row = await fetch_row(pool, _LIVE)
    return None if row is None else LivePublication(*row)
