"""The errors of the API as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.db.errors import DatabaseUnavailable
from serving.problems.problem_types import STATUSES, ProblemType
from serving.schemas import InvalidParameter, Problem
from serving.titles import TITLES

MEDIA_TYPE = "application/problem+json"
RETRY = {"Retry-After": "5"}
"""Seconds."""
DETAILS = {
    ProblemType.CURSOR_INVALID: "the cursor was not made here for this person; start again without a cursor",
    ProblemType.TOKEN_MISSING: "a bearer token is needed",
    ProblemType.TOKEN_INVALID: "the token is not valid or no longer valid; sign in again",
    ProblemType.NO_PROFILE: "the user of this token has no profile here; new users get one soon",
    ProblemType.LIKES_SECRET: "likes are secret here, so there is no list of likes",
    ProblemType.NOT_AMONG_MATCHES: "this person is not among your matches, or not any more",
    ProblemType.NO_PUBLICATION: "no publication is live yet; try again soon",
    ProblemType.CURSOR_GONE: "the publication of this cursor is not kept any more; start again without a cursor",
    ProblemType.PARAMETER_INVALID: "limit: Input should be less than or equal to 50",
    ProblemType.TOO_MANY_REQUESTS: "too many requests; try again in 3 s",
    ProblemType.UNAVAILABLE: "the database does not answer; try again soon",
}
"""What went wrong and what to do. The last three are examples, whose words depend on the request."""


class ProblemError(HTTPException):
    """A problem of one of the API's own types, with its status."""

    def __init__(self, kind: ProblemType, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(STATUSES[kind], detail, headers)
        self.kind = kind


def document_problems(*kinds: ProblemType) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route that can answer with these problems."""
    statuses = dict.fromkeys(STATUSES[kind] for kind in kinds)
    return {int(status): {"model": Problem, "description": _describe_kinds(status, kinds)} for status in statuses}


def _describe_kinds(status: HTTPStatus, kinds: tuple[ProblemType, ...]) -> str:
    return f"{TITLES[status]}: {' or '.join(f'`{kind}`' for kind in kinds if STATUSES[kind] is status)}."


def raise_token_missing() -> NoReturn:
    """Answer 401, with the challenge of RFC 6750."""
    _raise_problem(ProblemType.TOKEN_MISSING, {"WWW-Authenticate": "Bearer"})


def raise_token_invalid() -> NoReturn:
    """Answer 401, with the challenge of RFC 6750."""
    _raise_problem(ProblemType.TOKEN_INVALID, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def raise_no_profile() -> NoReturn:
    """Answer 403."""
    _raise_problem(ProblemType.NO_PROFILE)


def raise_likes_secret() -> NoReturn:
    """Answer 403, the same for every viewer."""
    _raise_problem(ProblemType.LIKES_SECRET)


def raise_not_ready(detail: str) -> NoReturn:
    """Answer 503 with a Retry-After header."""
    raise ProblemError(ProblemType.UNAVAILABLE, detail, RETRY)


def raise_cursor_invalid() -> NoReturn:
    """Answer 400."""
    _raise_problem(ProblemType.CURSOR_INVALID)


def raise_cursor_gone() -> NoReturn:
    """Answer 410."""
    _raise_problem(ProblemType.CURSOR_GONE)


def raise_not_among_matches() -> NoReturn:
    """Answer 404, the same for every candidate, whether or not there is such a profile."""
    _raise_problem(ProblemType.NOT_AMONG_MATCHES)


def raise_no_publication() -> NoReturn:
    """Answer 404."""
    _raise_problem(ProblemType.NO_PUBLICATION)


def raise_too_many_requests(wait_seconds: int) -> NoReturn:
    """Answer 429 with a Retry-After header of `wait_seconds`."""
    detail = f"too many requests; try again in {wait_seconds} s"
    raise ProblemError(ProblemType.TOO_MANY_REQUESTS, detail, {"Retry-After": str(wait_seconds)})


def _raise_problem(kind: ProblemType, headers: Mapping[str, str] | None = None) -> NoReturn:
    raise ProblemError(kind, DETAILS[kind], headers)


def make_problem_response(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[InvalidParameter] | None = None,
    kind: ProblemType = ProblemType.BLANK,
) -> JSONResponse:
    """Return a response with problem details that must not be cached."""
    headers = {"Cache-Control": "no-store"} | dict(headers or {})
    body = Problem(type=kind, title=TITLES[status], status=status, detail=detail, errors=errors)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Install the handlers that turn the errors of `app` into problem details.

    Unexpected errors are handled by `serving.observability.logs`.
    """

    @app.exception_handler(HTTPException)
    async def handle_refusal(_: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error, ProblemError):
            return make_problem_response(error.status_code, error.detail, error.headers, kind=error.kind)
        # The detail of Starlette's own errors is Python's status phrase, which differs between versions.
        return make_problem_response(error.status_code, TITLES[error.status_code], error.headers)

    @app.exception_handler(RequestValidationError)
    async def handle_invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
        # The value is omitted because it may be personal.
        errors = [InvalidParameter(parameter=str(e["loc"][-1]), detail=e["msg"]) for e in error.errors()]
        detail = "; ".join(f"{e.parameter}: {e.detail}" for e in errors)
        kind = ProblemType.PARAMETER_INVALID
        return make_problem_response(STATUSES[kind], detail, errors=errors, kind=kind)

    @app.exception_handler(DatabaseUnavailable)
    async def handle_unavailable_database(_: Request, error: DatabaseUnavailable) -> JSONResponse:
        kind = ProblemType.UNAVAILABLE
        return make_problem_response(STATUSES[kind], f"{error}; try again soon", RETRY, kind=kind)
