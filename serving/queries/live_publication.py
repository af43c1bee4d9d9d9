"""Which publication is being served."""

from datetime import datetime
from typing import NamedTuple

from psycopg_pool import AsyncConnectionPool

from serving.queries.read_pool import fetch_row

_LIVE = "SELECT id, made_at, viewers, pairs, age_seconds FROM matching_api.read_publication()"


class LivePublication(NamedTuple):
    """The publication that is being served."""

    id: int
    made_at: datetime
    viewers: int
    pairs: int
    age_seconds: int


async def fetch_live_publication(pool: AsyncConnectionPool) -> LivePublication | None:
    """The publication that is being served, if there is one. Raises DatabaseUnavailable."""
    row = await fetch_row(pool, _LIVE)
    return None if row is None else LivePublication(*row)
