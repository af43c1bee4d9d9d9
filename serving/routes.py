"""The addresses of the API."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from serving import queries
from serving.dependencies import Limit, Pool, Viewer
from serving.problems import documented, not_ready, refuse_token
from serving.schemas import Liveness, Matches, Publication, Readiness

router = APIRouter()

NO_PUBLICATION = "no publication is live yet; try again soon"
PRIVATE = {"Cache-Control": "private, no-store"}


@router.get(
    "/v1/me/matches",
    tags=["matches"],
    response_model=Matches,
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def get_my_matches(viewer: Viewer, pool: Pool, limit: Limit = 20) -> Response:
    """My matches, best first.

    Left out at this moment: whoever blocked me or was blocked by me, is paused or gone, or whom I already liked or
    passed, and everyone with whom age, gender or distance no longer fits both ways. The list of a paused viewer is
    empty. A viewer who joined since the publication is answered with similar people.
    """
    answer = await queries.matches(pool, viewer, limit)
    if answer is None:
        refuse_token("the person of this token is no longer here")
    if answer.publication_id is None:
        not_ready(NO_PUBLICATION)
    # Already JSON in the shape of Matches: to read and write it again would take longer than to find it.
    return Response(answer.body, media_type="application/json", headers=PRIVATE)


@router.get("/livez", tags=["health"])
async def get_liveness() -> Liveness:
    """Whether the process answers; says nothing about the database."""
    return Liveness()


@router.get("/readyz", tags=["health"], responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
async def get_readiness(pool: Pool) -> Readiness:
    """Whether matches can be served: the database answers and a publication is live."""
    live = await queries.live_publication(pool)
    if live is None:
        not_ready(NO_PUBLICATION)
    return Readiness(publication=Publication(id=live.id, made_at=live.made_at), age_seconds=live.age_seconds)
