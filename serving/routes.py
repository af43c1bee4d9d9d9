"""The addresses of the API."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from serving import queries, responses
from serving.dependencies import CursorText, Limit, Viewer
from serving.problems.problem_details import (
    document_problems,
    raise_cursor_gone,
    raise_cursor_invalid,
    raise_no_profile,
    raise_no_publication,
    raise_not_among_matches,
    raise_not_ready,
)
from serving.problems.problem_types import ProblemType
from serving.queries.cursor import InvalidCursor, read_cursor
from serving.schemas import (
    CurrentPublication,
    Liveness,
    Match,
    Matches,
    MostCompatible,
    Publication,
    Readiness,
    Similar,
)

router = APIRouter()

NO_PUBLICATION = "no publication is live yet; try again soon"

_ANSWERS = responses.NOT_MODIFIED | document_problems(
    ProblemType.TOKEN_MISSING, ProblemType.TOKEN_INVALID, ProblemType.UNAVAILABLE
)
_ABOUT_ME = _ANSWERS | document_problems(ProblemType.NO_PROFILE)


@router.get(
    "/v1/me/matches",
    tags=["matches"],
    response_model=Matches,
    responses=_ABOUT_ME
    | document_problems(ProblemType.CURSOR_INVALID, ProblemType.CURSOR_GONE, ProblemType.PARAMETER_INVALID),
)
async def get_my_matches(request: Request, viewer: Viewer, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """My matches, best first, by pages.

    Left out at this moment: whoever blocked me or was blocked by me, is paused or gone, or whom I already liked or
    passed, and everyone with whom age, gender or distance no longer fits both ways. The list of a paused viewer is
    empty. Where that leaves fewer than 50, and for a viewer who joined since the publication, similar people follow.
    A list may stay shorter: people who had passed on me before the live publication are neither on it nor similar.

    Pages show nobody twice and pass over nobody, and stay with the publication that the first one was of, also when
    a newer one goes live; once it is not kept any more the answer is 410, and the first page begins the newer one.
    """
    try:
        begun = None if cursor is None else read_cursor(cursor, viewer, request.state.cursor_key)
        page = await queries.fetch_page(request.state.pool, viewer, limit, begun)
    except InvalidCursor:
        raise_cursor_invalid()
    except queries.PublicationGone:
        raise_cursor_gone()
    if page is None:
        raise_no_profile()
    return responses.make_response(request, responses.build_matches_body(page, viewer, request.state.cursor_key))


@router.get(
    "/v1/me/matches/{candidate_id}",
    tags=["matches"],
    response_model=Match,
    responses=_ABOUT_ME | document_problems(ProblemType.NOT_AMONG_MATCHES, ProblemType.PARAMETER_INVALID),
)
async def get_my_match(request: Request, viewer: Viewer, candidate_id: UUID) -> Response:
    """One person whom this API shows me, on a page of matches, as my one of the day or as similar, as they are now.

    Whoever is on my list is as its pages show them. Else the newest publication counts that is still kept and has them
    on my list or as my one of the day, so that the cards of pages begun earlier open as well; else they are `similar`,
    if among the 50 people whose texts are most like mine. Anybody else is 404, and so is whoever is not to be shown any
    more, or is left out of the live publication: whether there is such a person is not told.
    """
    shown = await queries.fetch_one(request.state.pool, viewer, candidate_id)
    if shown is None:
        raise_no_profile()
    if not shown.people:
        raise_not_among_matches()
    return responses.make_response(request, responses.extract_only_match(shown))


@router.get("/v1/me/most-compatible", tags=["matches"], response_model=MostCompatible, responses=_ABOUT_ME)
async def get_my_most_compatible(request: Request, viewer: Viewer) -> Response:
    """My one person of the day: everybody has at most one, and is that person's; there may be none."""
    shown = await queries.fetch_most_compatible(request.state.pool, viewer)
    if shown is None:
        raise_no_profile()
    return responses.make_response(request, responses.build_most_compatible_body(shown))


@router.get(
    "/v1/me/similar",
    tags=["matches"],
    response_model=Similar,
    responses=_ABOUT_ME | document_problems(ProblemType.PARAMETER_INVALID),
)
async def get_similar_to_me(request: Request, viewer: Viewer, limit: Limit = 20) -> Response:
    """The people whose texts are most like mine, of those who may be shown to me now; on my match list or not.

    People who had passed on me before the live publication are left out, as they are from its lists.
    """
    shown = await queries.fetch_similar(request.state.pool, viewer, limit)
    if shown is None:
        raise_no_profile()
    return responses.make_response(request, responses.build_similar_body(shown))


@router.get(
    "/v1/publications/current",
    tags=["publications"],
    response_model=CurrentPublication,
    responses=_ANSWERS | document_problems(ProblemType.NO_PUBLICATION),
)
async def get_current_publication(request: Request, _: Viewer) -> Response:
    """The publication that is live, and how much it holds; 404 while none is. It needs a token, but no profile."""
    live = await queries.fetch_live_publication(request.state.pool)
    if live is None:
        raise_no_publication(NO_PUBLICATION)
    current = CurrentPublication(id=live.id, made_at=live.made_at, viewers=live.viewers, pairs=live.pairs)
    return responses.make_response(request, current.model_dump_json())


@router.get("/livez", tags=["health"])
async def get_liveness() -> Liveness:
    """Whether the process answers; says nothing about the database."""
    return Liveness()


@router.get("/readyz", tags=["health"], responses=document_problems(ProblemType.UNAVAILABLE))
async def get_readiness(request: Request) -> Readiness:
    """Whether matches can be served: the database answers and a publication is live."""
    live = await queries.fetch_live_publication(request.state.pool)
    if live is None:
        raise_not_ready(NO_PUBLICATION)
    return Readiness(publication=Publication(id=live.id, made_at=live.made_at), age_seconds=live.age_seconds)
