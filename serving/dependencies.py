"""The parameters that routes share."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from serving.access.rate_limit import admit_viewer
from serving.problems.problem_details import raise_likes_secret
from serving.queries import Asker
from serving.queries.wording.dictionary import choose_wording

Viewer = Annotated[UUID, Depends(admit_viewer)]
Limit = Annotated[int, Query(ge=1, le=50, description="How many on this page at most.")]
CursorText = Annotated[
    str | None,
    Query(max_length=2000, description="The `next_cursor` of the page before; without it, the first page."),
]
# Percent-encoded, a longer one might not fit into the address that the server reads.
LongCursorText = Annotated[
    str | None,
    Query(max_length=4500, description="The `next_cursor` of the page before; without it, the first page."),
]


def identify_asker(request: Request, viewer: Viewer) -> Asker:
    """Return who asks the database, in the language of the request."""
    _, wording = choose_wording(request.state.dictionary, request.headers.get("accept-language"))
    return Asker(request.state.pool, viewer, wording.templates, wording.opener_templates)


InLanguage = Annotated[Asker, Depends(identify_asker)]


def require_told_likes(request: Request, _: Viewer) -> None:
    """Refuse the request if likes are secret, before parameters are checked and the database is asked.

    The token comes first, as for every other endpoint.
    """
    if not request.state.likes_are_told:
        raise_likes_secret()
