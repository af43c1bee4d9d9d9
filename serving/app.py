"""The application: `uvicorn serving.app:create_app --factory`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.routing import APIRoute
from psycopg_pool import AsyncConnectionPool

from models.db.engines import database_url, libpq_url
from models.db.settings import Settings
from models.db.settings import settings as process_settings
from serving import logs, problems
from serving.database import make_pool
from serving.routes import router


class State(TypedDict):
    """What lives as long as the application does."""

    pool: AsyncConnectionPool
    secret: str


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API over the database of `settings`, by default those of this process."""
    settings = settings or process_settings()
    logs.configure()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        url = await asyncio.to_thread(database_url, settings)
        async with make_pool(libpq_url(url)) as pool:
            yield State(pool=pool, secret=settings.signing_secret())

    app = Api(
        title="Delete matching",
        version=version("delete-matching"),
        description="Matches of the dating app that wants to be deleted.",
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.add_middleware(logs.RequestLog)
    problems.install(app)
    app.include_router(router)
    return app


class Api(FastAPI):
    """FastAPI that documents its problems under their own media type."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            for path in document["paths"].values():
                for operation in path.values():
                    _name_media_type(operation["responses"])
        return document


def _name_media_type(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {problems.MEDIA_TYPE: response["content"]["application/json"]}


def _operation_id(route: APIRoute) -> str:
    return route.name
