"""The ASGI application: `uvicorn serving.app:create_app --factory`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import TypedDict

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute
from psycopg_pool import AsyncConnectionPool

from models.db.engines import convert_to_libpq_url, resolve_database_url
from models.db.errors import InputError
from models.db.settings import Settings, get_settings
from serving import documentation, responses, routes
from serving.access.auth import Verifier, make_verifier
from serving.access.rate_limit import RateLimit
from serving.observability import logs, prometheus
from serving.problems import problem_details
from serving.queries.cursor import derive_cursor_key
from serving.queries.read_pool import make_pool
from serving.queries.wording.dictionary import Dictionary, load_dictionary

# Smaller responses do not benefit. Compression is safe from BREACH here: that attack needs a page that makes the user's
# browser send credentials, and browsers send cookies by themselves but never a bearer token.
GZIP_MIN_BYTES = 1000
GZIP_LEVEL = 4  # much cheaper than the default, 9, for about 1 % more bytes

PREFLIGHT_SECONDS = 7200  # the maximum that browsers accept


class AppParts(TypedDict):
    """The parts that depend on the settings alone and need no event loop."""

    verifier: Verifier
    limit: RateLimit
    metrics: prometheus.Metrics
    cursor_key: bytes
    """Key of the signatures of page cursors."""
    likes_cursor_key: bytes
    """The same for pages of likes."""
    conversations_cursor_key: bytes
    """The same for pages of conversations."""
    likes_are_told: bool
    names_arms: bool
    """Whether matches have the header with the viewer's arms."""
    dictionary: Dictionary


class AppState(AppParts):
    """The objects that live as long as the application; requests read them from `request.state`."""

    pool: AsyncConnectionPool


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the API over the database of `settings`, by default the settings of this process.

    Raises:
        SystemExit: The settings would accept every token or none; the message says why.
    """
    try:
        settings = settings or get_settings()
        parts = _build_parts(settings)
    except InputError as error:
        raise SystemExit(f"the API does not start: {error}") from None
    logs.configure_logging()
    app = documentation.DocumentedApi(
        title="Delete matching",
        version=version("delete-matching"),
        description=documentation.DESCRIPTION,
        lifespan=_make_lifespan(settings, parts),
        generate_unique_id_function=_make_operation_id,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(routes.router)
    app.include_router(prometheus.router)
    documentation.install_documentation(app)
    problem_details.install_problem_handlers(app)
    # The middleware added last runs first. With CORS outermost, allowed pages can read even the response to an
    # unexpected error.
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_MIN_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(logs.RequestLog, observe=parts["metrics"].observe_response)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD"],
            allow_headers=["Authorization", "If-None-Match", "X-Request-ID"],
            expose_headers=["ETag", responses.ARMS_HEADER, "Retry-After", "WWW-Authenticate", "X-Request-ID"],
            max_age=PREFLIGHT_SECONDS,
        )
    return app


def _build_parts(settings: Settings) -> AppParts:
    return AppParts(
        verifier=make_verifier(settings),
        limit=RateLimit(settings.rate_per_second, settings.rate_burst),
        metrics=prometheus.Metrics(),
        cursor_key=derive_cursor_key(settings.get_cursor_secret()),
        likes_cursor_key=derive_cursor_key(settings.get_cursor_secret(), "cursors of likes"),
        conversations_cursor_key=derive_cursor_key(settings.get_cursor_secret(), "cursors of conversations"),
        likes_are_told=settings.likes == "told",
        names_arms=settings.arm_header,
        dictionary=load_dictionary(settings.titles),
    )


def _make_lifespan(settings: Settings, parts: AppParts) -> Callable[[FastAPI], AbstractAsyncContextManager[AppState]]:
    @asynccontextmanager
    async def run_lifespan(_: FastAPI) -> AsyncIterator[AppState]:
        url = await asyncio.to_thread(resolve_database_url, settings)
        async with make_pool(convert_to_libpq_url(url)) as pool:
            fresh_keys = asyncio.create_task(parts["verifier"].keys.keep_fresh())
            yield AppState(pool=pool, **parts)
            fresh_keys.cancel()

    return run_lifespan


def _make_operation_id(route: APIRoute) -> str:
    return route.name
