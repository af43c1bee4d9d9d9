"""The parameters that routes share."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from serving.access.rate_limit import admit_viewer

Viewer = Annotated[UUID, Depends(admit_viewer)]
Limit = Annotated[int, Query(ge=1, le=50, description="How many matches at most.")]
CursorText = Annotated[
    str | None,
    Query(max_length=2000, description="The `next_cursor` of the page before; without it, the first page."),
]
