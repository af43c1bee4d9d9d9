"""The OpenAPI document, and the page at /docs, which loads nothing from other servers."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from serving.problems.problem_details import MEDIA_TYPE, document_problems
from serving.problems.problem_types import ProblemType

# Only the static files of that package are used: the Swagger UI that FastAPI would otherwise load from a CDN.
_FILES = Path(fastapi_offline.__file__).parent / "static"


class DocumentedApi(FastAPI):
    """FastAPI that documents problems under their own media type, and 429 for every route that needs a token."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built once."""
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            for path in document["paths"].values():
                for operation in path.values():
                    _document_problems(operation)
        return document


def _document_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
    if "security" in operation:
        unauthorized = responses[str(int(HTTPStatus.UNAUTHORIZED))]
        for status, too_many in document_problems(ProblemType.TOO_MANY_REQUESTS).items():
            responses[str(status)] = unauthorized | {"description": too_many["description"]}


def install_documentation(app: FastAPI) -> None:
    """Serve the OpenAPI document of `app` at /docs."""
    app.mount("/docs/files", StaticFiles(directory=_FILES))

    @app.get("/docs", include_in_schema=False)
    async def get_docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url="docs/files/swagger-ui-bundle.js",
            swagger_css_url="docs/files/swagger-ui.css",
            swagger_favicon_url="docs/files/favicon.png",
        )
