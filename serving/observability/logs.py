"""JSON logs: one line per request, without profile ids, tokens, query strings or values from errors."""

import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems.problem_details import make_problem_response

UNEXPECTED = make_problem_response(
    HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error occurred; report the X-Request-ID to the operator"
)

log = structlog.get_logger("serving")

# Prevents browsers from rendering JSON with user text as HTML.
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_SAFE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def configure_logging() -> None:
    """Write all log lines of this process to stdout as JSON, without uvicorn's access log.

    The access log contains query strings.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _remove_values,
    ]
    render = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=render, foreign_pre_chain=shared))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"


def _remove_values(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Reduce an exception to its type and stack: its message may quote a row with personal data."""
    match event.pop("exc_info", None):
        case True:
            error = sys.exception()
        case (_, error, _):
            pass
        case error:
            pass
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = type(error).__name__
        event["where"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


RequestObserver = Callable[[str, str, int, float], None]
"""Called for each response with the method, the route template, the status and the seconds."""


class RequestLog:
    """Middleware that gives each request an id, logs and measures it, and turns unexpected errors into a bare 500."""

    def __init__(self, app: ASGIApp, observe: RequestObserver) -> None:
        self.app = app
        self.observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _ResponseSender(send, _choose_request_id(scope))
        # HEAD is handled as GET; the server drops the body.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        with structlog.contextvars.bound_contextvars(request_id=answer.request_id.decode()):
            await self._handle({**scope, "method": method}, receive, answer)

    async def _handle(self, scope: Scope, receive: Receive, answer: "_ResponseSender") -> None:
        started = time.perf_counter()
        try:
            await self.app(scope, receive, answer)
        except Exception:
            log.exception("request failed")
            if answer.status:
                raise
            await UNEXPECTED(scope, receive, answer)
        finally:
            method, route, seconds = scope["method"], _find_route(scope), time.perf_counter() - started
            self.observe(method, route, answer.status, seconds)
            log.info("request", method=method, route=route, status=answer.status, ms=round(1000 * seconds, 2))


class _ResponseSender:
    """The `send` of one request: adds the common headers and records the status.

    The status is 0 before the response starts.
    """

    def __init__(self, send: Send, request_id: bytes) -> None:
        self.send = send
        self.request_id = request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (b"x-request-id", self.request_id), _NO_SNIFFING]
            message = {**message, "headers": headers}
        await self.send(message)


def _choose_request_id(scope: Scope) -> bytes:
    """Return the caller's X-Request-ID if it is safe to log, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SAFE_REQUEST_ID.fullmatch(value):
            return bytes(value)
    return uuid.uuid4().hex.encode()


def _find_route(scope: Scope) -> str:
    """Return the route template, not the path: a path may contain an id."""
    return getattr(scope.get("route"), "path", "none")
