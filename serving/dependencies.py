"""What the routes ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from psycopg_pool import AsyncConnectionPool

from serving.auth import viewer_id


async def _pool(request: Request) -> AsyncConnectionPool:
    pool: AsyncConnectionPool = request.state.pool
    return pool


Pool = Annotated[AsyncConnectionPool, Depends(_pool)]
Viewer = Annotated[UUID, Depends(viewer_id)]
Limit = Annotated[int, Query(ge=1, le=50, description="How many matches at most.")]
