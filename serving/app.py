"""The application: `uvicorn serving.app:create_app --factory`."""

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

from models.db.engines import database_url, libpq_url
from models.db.errors import InputError
from models.db.settings import Settings
from models.db.settings import settings as process_settings
from serving import documentation, logs, metrics, problems, routes
from serving.auth import Verifier, verifier_of
from serving.cursor import cursor_key
from serving.database import make_pool
from serving.limits import RateLimit

# Smaller answers gain nothing. To guess a secret from how well answers compress (BREACH), a page must make somebody's
# browser ask with that person's credentials: browsers send cookies so, but never a bearer token.
GZIP_BYTES = 1000
GZIP_LEVEL = 4  # half the time of the default, 9, for 1 % more bytes

PREFLIGHT_SECONDS = 7200  # the longest that browsers remember


class Parts(TypedDict):
    """What is made of the settings alone, before there is an event loop."""

    verifier: Verifier
    limit: RateLimit
    metrics: metrics.Metrics
    cursor_key: bytes
    """Behind the signatures of page cursors."""


class State(Parts):
    """What lives as long as the application does; a request finds it in `request.state`."""

    pool: AsyncConnectionPool


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API over the database of `settings`, by default those of this process.

    Ends the process, saying why, for settings with which it would let anybody in, or nobody.
    """
    try:
        settings = settings or process_settings()
        parts = _parts_of(settings)
    except InputError as error:
        raise SystemExit(f"the API does not start: {error}") from None
    logs.configure()
    app = documentation.DocumentedApi(
        title="Delete matching",
        version=version("delete-matching"),
        description="Matches of the dating app that wants to be deleted.",
        lifespan=_lifespan(settings, parts),
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(routes.router)
    app.include_router(metrics.router)
    documentation.install(app)
    problems.install(app)
    # The last one added meets a request first; so a page of ours can read even the answer to what nobody expected.
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_BYTES, compresslevel=GZIP_LEVEL)
    app.add_middleware(logs.RequestLog, observe=parts["metrics"].observe)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD"],
            allow_headers=["Authorization", "If-None-Match", "X-Request-ID"],
            expose_headers=["ETag", "Retry-After", "WWW-Authenticate", "X-Request-ID"],
            max_age=PREFLIGHT_SECONDS,
        )
    return app


def _parts_of(settings: Settings) -> Parts:
    return Parts(
        verifier=verifier_of(settings),
        limit=RateLimit(settings.rate_per_second, settings.rate_burst),
        metrics=metrics.Metrics(),
        cursor_key=cursor_key(settings.signing_secret_of_cursors()),
    )


def _lifespan(settings: Settings, parts: Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[State]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        url = await asyncio.to_thread(database_url, settings)
        async with make_pool(libpq_url(url)) as pool:
            fresh_keys = asyncio.create_task(parts["verifier"].keys.keep_fresh())
            yield State(pool=pool, **parts)
            fresh_keys.cancel()

    return lifespan


def _operation_id(route: APIRoute) -> str:
    return route.name
