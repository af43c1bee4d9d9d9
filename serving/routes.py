"""The routes of the API."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from serving import queries, responses
from serving.dependencies import (
    CursorText,
    InLanguage,
    Limit,
    LongCursorText,
    Viewer,
    require_told_likes,
)
from serving.problems.problem_details import (
    DETAILS,
    document_problems,
    raise_cursor_gone,
    raise_cursor_invalid,
    raise_no_profile,
    raise_no_publication,
    raise_not_among_matches,
    raise_not_ready,
)
from serving.problems.problem_types import ProblemType
from serving.queries.cursor import Cursor, InvalidCursor, read_cursor
from serving.queries.wording.dictionary import choose_wording
from serving.schemas import (
    Conversations,
    CurrentPublication,
    Likes,
    Liveness,
    Match,
    Matches,
    MostCompatible,
    Publication,
    Readiness,
    Similar,
    Titles,
)

router = APIRouter()

_ANSWERS = responses.NOT_MODIFIED | document_problems(
    ProblemType.TOKEN_MISSING, ProblemType.TOKEN_INVALID, ProblemType.UNAVAILABLE
)
_ABOUT_ME = _ANSWERS | document_problems(ProblemType.NO_PROFILE)
_PAGE_PROBLEMS = (ProblemType.CURSOR_INVALID, ProblemType.CURSOR_GONE, ProblemType.PARAMETER_INVALID)

FetchPage = Callable[[queries.Asker, int, Cursor | None], Awaitable[queries.CardPage | None]]


@router.get(
    "/v1/me/matches",
    tags=["matches"],
    response_model=Matches,
    responses=_ABOUT_ME | responses.ARMS | document_problems(*_PAGE_PROBLEMS),
)
async def get_my_matches(request: Request, asker: InLanguage, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """Return the viewer's matches, in the order of the list, in pages.

    The order is not that of `p_match_percent`: it also counts who else would like to be seen.

    Left out are users who block the viewer or are blocked, are paused or deleted, or already have a like or pass of the
    viewer, and users who are no longer eligible by age, gender or distance. A paused viewer has an empty list. If fewer
    than 50 matches remain, or the viewer joined after the publication, similar users follow. The list may stay shorter:
    users who had passed on the viewer before the live publication are neither listed nor similar. If there is nobody at
    all, `empty_because` says why.

    No user appears on two pages and none is skipped. All pages come from the publication of the first page, even when a
    newer one goes live. When that publication is no longer kept, the response is 410; the first page then starts the
    newer one.
    """
    key = request.state.cursor_key
    page = await _fetch_page(queries.fetch_page, asker, limit, cursor, key)
    is_empty = cursor is None and not page.shown.people
    why = await queries.explain_empty(asker) if is_empty else None
    arms = await queries.fetch_arms(asker, page.shown.publication_id) if request.state.names_arms else None
    return responses.make_response(request, responses.build_matches_body(page, asker.viewer_id, key, why), arms)


@router.get(
    "/v1/me/likes",
    tags=["matches"],
    response_model=Likes,
    responses=_ANSWERS | document_problems(ProblemType.NO_PROFILE, ProblemType.LIKES_SECRET, *_PAGE_PROBLEMS),
    dependencies=[Depends(require_told_likes)],
)
async def get_my_likes(
    request: Request, asker: InLanguage, limit: Limit = 20, cursor: LongCursorText = None
) -> Response:
    """Return the users who like the viewer and wait for the viewer's decision, in pages.

    First come the likes that the publication knows, the one that the viewer most probably likes back first; then those
    that arrived since, newest first. A like appears at once, and is gone at once when its sender withdraws it, the
    viewer decides, or one of the two may no longer be shown to the other, for the reasons that matches disappear. No
    card says when the like was sent, as that would reveal when the sender was there.

    All pages come from the publication of the first page, as for matches, and together have 400 likes at most. Where
    likes are secret, which is the default, the response is 403 for every viewer.
    """
    key = request.state.likes_cursor_key
    page = await _fetch_page(queries.fetch_likes, asker, limit, cursor, key)
    return responses.make_response(request, responses.build_likes_body(page, asker.viewer_id, key))


@router.get(
    "/v1/me/conversations",
    tags=["conversations"],
    response_model=Conversations,
    responses=_ANSWERS
    | document_problems(ProblemType.NO_PROFILE, ProblemType.CURSOR_INVALID, ProblemType.PARAMETER_INVALID),
)
async def get_my_conversations(
    request: Request, asker: InLanguage, limit: Limit = 20, cursor: LongCursorText = None
) -> Response:
    """Return the viewer's conversations, in pages, those first where something happened last.

    Left out are conversations with users who block the viewer or are blocked, are paused or deleted, or have a value
    outside its limits, and conversations that were closed by a block or a report. A paused viewer has an empty list.
    Age, gender and distance do not count any more.

    The response has nothing that was written, and says of messages only who wrote last and when. It has no figure about
    the other user. No conversation appears on two pages and none is skipped; all pages together have 400 at most.
    """
    key = request.state.conversations_cursor_key
    page = await _fetch_page(queries.fetch_conversations, asker, limit, cursor, key)
    return responses.make_response(request, responses.build_conversations_body(page, asker.viewer_id, key))


async def _fetch_page(
    fetch: FetchPage, asker: queries.Asker, limit: int, cursor: str | None, key: bytes
) -> queries.CardPage:
    """Fetch the first page, or the one after `cursor`; raise a problem if there is none."""
    try:
        begun = None if cursor is None else read_cursor(cursor, asker.viewer_id, key)
        page = await fetch(asker, limit, begun)
    except InvalidCursor:
        raise_cursor_invalid()
    except queries.PublicationGone:
        raise_cursor_gone()
    if page is None:
        raise_no_profile()
    return page


@router.get(
    "/v1/me/matches/{candidate_id}",
    tags=["matches"],
    response_model=Match,
    responses=_ABOUT_ME | document_problems(ProblemType.NOT_AMONG_MATCHES, ProblemType.PARAMETER_INVALID),
)
async def get_my_match(request: Request, asker: InLanguage, candidate_id: UUID) -> Response:
    """Return one candidate that the API shows to the viewer: on a page, as most compatible or as similar.

    A candidate on the viewer's live list has the same card as on its pages. Otherwise the card comes from the newest
    kept publication that lists the candidate or names them most compatible, so that cards of earlier pages open as
    well. Otherwise the candidate is `similar` if among the 50 users whose texts are most similar to the viewer's.
    Otherwise, where likes are told, the candidate is a `like` if on a page of likes, with rank 1. All others are 404,
    and so are candidates who may no longer be shown or are left out of the live publication. The response does not
    reveal whether such a profile exists.
    """
    shown = await queries.fetch_one(asker, candidate_id)
    if shown is not None and not shown.people and request.state.likes_are_told:
        shown = await queries.fetch_like(asker, candidate_id)
    if shown is None:
        raise_no_profile()
    if not shown.people:
        raise_not_among_matches()
    return responses.make_response(request, responses.extract_only_match(shown))


@router.get("/v1/me/most-compatible", tags=["matches"], response_model=MostCompatible, responses=_ABOUT_ME)
async def get_my_most_compatible(request: Request, asker: InLanguage) -> Response:
    """Return the viewer's most compatible candidate of the day, if there is one.

    Each user has at most one, and both are most compatible with each other.
    """
    shown = await queries.fetch_most_compatible(asker)
    if shown is None:
        raise_no_profile()
    return responses.make_response(request, responses.build_most_compatible_body(shown))


@router.get(
    "/v1/me/similar",
    tags=["matches"],
    response_model=Similar,
    responses=_ABOUT_ME | document_problems(ProblemType.PARAMETER_INVALID),
)
async def get_similar_to_me(request: Request, asker: InLanguage, limit: Limit = 20) -> Response:
    """Return the eligible users whose texts are most similar to the viewer's, on the match list or not.

    Users who had passed on the viewer before the live publication are left out, as they are from its lists.
    """
    shown = await queries.fetch_similar(asker, limit)
    if shown is None:
        raise_no_profile()
    return responses.make_response(request, responses.build_similar_body(shown))


@router.get("/v1/titles", tags=["titles"], response_model=Titles, responses=_ANSWERS)
async def get_titles(request: Request, _: Viewer) -> Response:
    """Return the titles of prompts, in the language that `Accept-Language` prefers of those that exist here.

    The sentences of reasons are in the same language. The titles are the same for all users, and change only when the
    API restarts. Requires a token, but no profile.
    """
    locale, wording = choose_wording(request.state.dictionary, request.headers.get("accept-language"))
    return responses.make_response(request, Titles(locale=locale, prompts=wording.prompts).model_dump_json())


@router.get(
    "/v1/publications/current",
    tags=["publications"],
    response_model=CurrentPublication,
    responses=_ANSWERS | document_problems(ProblemType.NO_PUBLICATION),
)
async def get_current_publication(request: Request, _: Viewer) -> Response:
    """Return the live publication and its size, or 404 if none is live. Requires a token, but no profile."""
    live = await queries.fetch_live_publication(request.state.pool)
    if live is None:
        raise_no_publication()
    current = CurrentPublication(id=live.id, made_at=live.made_at, viewers=live.viewers, pairs=live.pairs)
    return responses.make_response(request, current.model_dump_json())


@router.get("/livez", tags=["health"])
async def get_liveness() -> Liveness:
    """Return 200 while the process answers. The database is not checked."""
    return Liveness()


@router.get("/readyz", tags=["health"], responses=document_problems(ProblemType.UNAVAILABLE))
async def get_readiness(request: Request) -> Readiness:
    """Return the live publication if matches can be served, or 503 if the database or a live publication is missing."""
    live = await queries.fetch_live_publication(request.state.pool)
    if live is None:
        raise_not_ready(DETAILS[ProblemType.NO_PUBLICATION])
    return Readiness(publication=Publication(id=live.id, made_at=live.made_at), age_seconds=live.age_seconds)
