"""The backend as an ASGI application: `uvicorn examples.backend.app:create_app --factory`.

It is for development: whoever opens the page may sign in as any simulated person. What it writes is a template.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypedDict

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request

from examples.backend.routes import conversations, decisions, people
from models.db.engines import CONNECTION, resolve_database_url
from models.db.errors import InputError
from models.db.settings import Settings, get_settings
from serving.access.auth import Verifier, make_verifier
from serving.problems.problem_details import install_problem_handlers, make_problem_response

OWN_TABLES = Path(__file__).with_name("own_tables.sql")


class BackendState(TypedDict):
    """What lives as long as the application; requests read it from `request.state`."""

    engine: Engine
    settings: Settings
    verifier: Verifier


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the backend over the database of `settings`, by default the settings of this process.

    Raises:
        SystemExit: This is no development: anybody could act as anybody. The message says why.
    """
    try:
        settings = settings or get_settings()
        _require_development(settings)
        verifier = make_verifier(settings)
    except InputError as error:
        raise SystemExit(f"the example's backend does not start: {error}") from None
    app = FastAPI(title="Backend of the example app", lifespan=_make_lifespan(settings, verifier))
    for part in (people, decisions, conversations):
        app.include_router(part.router, prefix="/backend")
    install_problem_handlers(app)
    app.add_exception_handler(IntegrityError, _answer_not_found)
    return app


def _require_development(settings: Settings) -> None:
    if settings.environment == "production":
        raise InputError("MATCHING_ENV is production, and it lets everybody sign in as anybody; unset it to develop")
    settings.get_signing_secret()  # refused where the app's sign-in issues the tokens


def _make_lifespan(
    settings: Settings, verifier: Verifier
) -> Callable[[FastAPI], AbstractAsyncContextManager[BackendState]]:
    @asynccontextmanager
    async def run_lifespan(_: FastAPI) -> AsyncIterator[BackendState]:
        engine = create_engine(resolve_database_url(settings), connect_args=CONNECTION, hide_parameters=True)
        with engine.begin() as connection:
            connection.exec_driver_sql(OWN_TABLES.read_text(encoding="utf-8"))
        yield BackendState(engine=engine, settings=settings, verifier=verifier)
        engine.dispose()

    return run_lifespan


async def _answer_not_found(_: Request, __: Exception) -> JSONResponse:
    """Answer 404: one of the two was erased meanwhile, or both are the same."""
    return make_problem_response(404, "this person is not here, or not any more")
