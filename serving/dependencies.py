"""What the routes ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from psycopg_pool import AsyncConnectionPool

from serving.cursor import BadCursor, Cursor, read_cursor
from serving.limits import admitted_viewer
from serving.problems import bad_cursor


async def _pool(request: Request) -> AsyncConnectionPool:
    pool: AsyncConnectionPool = request.state.pool
    return pool


Pool = Annotated[AsyncConnectionPool, Depends(_pool)]
Viewer = Annotated[UUID, Depends(admitted_viewer)]
Limit = Annotated[int, Query(ge=1, le=50, description="How many matches at most.")]
CursorText = Annotated[
    str | None,
    Query(max_length=2000, description="The `next_cursor` of the page before; without it, the first page."),
]


async def _cursor(request: Request, viewer: Viewer, cursor: CursorText = None) -> Cursor | None:
    try:
        return None if cursor is None else read_cursor(cursor, viewer, request.state.cursor_key)
    except BadCursor:
        bad_cursor()


PageCursor = Annotated[Cursor | None, Depends(_cursor)]
