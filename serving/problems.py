"""Every error the API answers, as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from models.db.errors import DatabaseUnavailable
from serving.schemas import InvalidParameter, Problem

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    return {int(status): {"model": Problem, "description": status.phrase} for status in statuses}


def refuse_token(detail: str, challenge: str = 'Bearer error="invalid_token"') -> NoReturn:
    """Answer 401, with the challenge of RFC 6750."""
    raise HTTPException(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})


def not_ready(detail: str) -> NoReturn:
    """Answer 503, to be tried again soon."""
    raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(RETRY_SECONDS)})


def bad_cursor() -> NoReturn:
    """Answer 400."""
    raise HTTPException(
        HTTPStatus.BAD_REQUEST, "the cursor was not made here for this person; start again without a cursor"
    )


def cursor_gone() -> NoReturn:
    """Answer 410."""
    raise HTTPException(
        HTTPStatus.GONE, "the publication of this cursor is not kept any more; start again without a cursor"
    )


def not_found(detail: str) -> NoReturn:
    """Answer 404."""
    raise HTTPException(HTTPStatus.NOT_FOUND, detail)


def too_many(wait_seconds: int) -> NoReturn:
    """Answer 429, to be tried again in `wait_seconds`."""
    detail = f"too many requests; try again in {wait_seconds} s"
    raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(wait_seconds)})


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[InvalidParameter] | None = None,
) -> JSONResponse:
    """A response with problem details, which no cache keeps."""
    headers = {"Cache-Control": "no-store"} | dict(headers or {})
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let `app` answer its errors as problem details; the unexpected ones are `serving.logs`'s to answer."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The value itself is not repeated: it may be personal.
        errors = [InvalidParameter(parameter=str(e["loc"][-1]), detail=e["msg"]) for e in error.errors()]
        detail = "; ".join(f"{e.parameter}: {e.detail}" for e in errors)
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)

    @app.exception_handler(DatabaseUnavailable)
    async def unavailable(_: Request, error: DatabaseUnavailable) -> JSONResponse:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}; try again soon", {"Retry-After": str(RETRY_SECONDS)})
