"""The page at /docs, which loads nothing from other servers."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

# Only the static files of that package are used: the Swagger UI that FastAPI would otherwise load from a CDN.
_FILES = Path(fastapi_offline.__file__).parent / "static"


def install_documentation(app: FastAPI) -> None:
    """Serve the OpenAPI document of `app` at /docs, and lead from / to it."""
    app.mount("/docs/files", StaticFiles(directory=_FILES))

    @app.get("/", include_in_schema=False)
    async def redirect_to_docs() -> RedirectResponse:
        return RedirectResponse("docs")  # relative, for proxies that serve the API below a path

    @app.get("/docs", include_in_schema=False)
    async def get_docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url="docs/files/swagger-ui-bundle.js",
            swagger_css_url="docs/files/swagger-ui.css",
            swagger_favicon_url="docs/files/favicon.png",
            swagger_ui_parameters={"tryItOutEnabled": True},
        )
