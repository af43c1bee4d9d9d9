"""The application as a whole: what it loads, how it documents itself, and which settings it refuses."""

import json
import os
import re
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from pydantic import BaseModel

from models.db.settings import Settings
from serving import schemas
from serving.app import create_app
from serving.schemas import Problem
from serving.titles import TITLES
from tests.serving.conftest import SECRET, Api

LEARNING = {"models.ml", "pipelines", "dagster", "mlflow", "torch", "lightgbm", "pandas", "numpy", "sklearn", "scipy"}
LEARNING |= {"sentence_transformers", "pgvector", "alembic", "models.db.schema.tables"}
# As `python -m serving.openapi`, with the names of the loaded modules on stderr.
EXPORT = "import json, runpy, sys; runpy.run_module('serving.openapi', run_name='__main__')"
EXPORT += "; json.dump(list(sys.modules), sys.stderr)"


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.get("/openapi.json").json()
    return body


def test_the_exported_document_needs_no_server_and_no_key(document: dict[str, Any], tmp_path: Path) -> None:
    home = tmp_path / "home"
    variables = {"MATCHING_HOME": str(home), "MATCHING_ENV": "production", "MATCHING_JWKS_URL": "https://sign-in.test"}
    variables |= {"DATABASE_URL": "postgresql://nowhere.invalid/x"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXPORT],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == document
    assert not home.exists()
    loaded = set(json.loads(done.stderr))
    assert {"fastapi", "psycopg_pool", "serving.queries"} <= loaded
    assert loaded & LEARNING == set(), "the API loads no learning library"


def test_the_document_is_the_same_on_every_python(document: dict[str, Any], strict_api: Api) -> None:
    assert strict_api.get("/openapi.json").json() == document
    assert {int(status) for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST} <= TITLES.keys()


def test_tokens_and_problems_are_documented(document: dict[str, Any]) -> None:
    """The rest of the document is compared with the client's committed types."""
    kinds = set()
    for path, item in document["paths"].items():
        responses = item["get"]["responses"]
        secured = path.startswith("/v1/")
        assert ("security" in item["get"], {"401", "429"} <= responses.keys()) == (secured, secured), path
        for status, response in responses.items():
            if int(status) >= 400:
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                kinds |= (said := set(re.findall(r"urn:[a-z:-]+", response["description"])))
                examples = [Problem.model_validate(each["value"]) for each in content["examples"].values()]
                assert {f"{each.type}" for each in examples} == said != set()
                assert {each.status for each in examples} == {int(status)}
    assert kinds == set(document["components"]["schemas"]["ProblemType"]["enum"]) - {"about:blank"}
    assert not {"/metrics", "/docs", "/"} & document["paths"].keys(), "not for the app"
    assert "matching token WHO" in document["components"]["securitySchemes"]["HTTPBearer"]["description"]


def test_every_response_has_an_example_of_its_schema(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        content = item["get"]["responses"]["200"]["content"]["application/json"]
        name = content["schema"]["$ref"].rpartition("/")[2]
        model: type[BaseModel] = getattr(schemas, name)
        example = model.model_validate_json(json.dumps(content["example"]), strict=True)
        assert example.model_fields_set == set(model.model_fields), path


def test_the_root_leads_to_the_documentation(api: Api) -> None:
    response = api.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "docs")


def test_the_page_of_documentation_loads_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    links = re.findall(r"(?:src|href)=\"([^\"]+)\"|url: '([^']+)'", page.text)
    paths = {urljoin("/docs", first or second) for first, second in links}
    assert {path: api.get(path).headers["content-type"] for path in paths} == {
        "/docs/files/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "/docs/files/swagger-ui.css": "text/css; charset=utf-8",
        "/docs/files/favicon.png": "image/png",
        "/openapi.json": "application/json",
    }
    for path in ("/docs/files/", "/docs/files/../core.py", "/docs/files/%2e%2e/core.py", "/docs/files/nothing.js"):
        response = api.get(path)
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")


SIGN_IN = "https://sign-in.test/jwks"
UNSAFE = {
    "MATCHING_JWKS_URL": {},
    "must be https": {"MATCHING_JWKS_URL": "http://sign-in.test/jwks", "MATCHING_CURSOR_SECRET": SECRET},
    "MATCHING_CURSOR_SECRET": {"MATCHING_JWKS_URL": SIGN_IN},
    "MATCHING_JWT_SECRET": {"MATCHING_JWKS_URL": SIGN_IN, "MATCHING_JWT_SECRET": SECRET},
}


@pytest.mark.parametrize("named", UNSAFE)
def test_it_does_not_start_with_unsafe_settings(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (UNSAFE[named] | {"MATCHING_ENV": "production"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=f"the API does not start: .*{named}"):
        create_app(Settings())


def test_the_refusal_of_a_short_secret_is_one_line_without_it() -> None:
    environment = os.environ | {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "MATCHING_JWT_SECRET": "hunter2"}
    words = [sys.executable, "-m", "uvicorn", "serving.app:create_app", "--factory", "--port", "0"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("the API does not start: MATCHING_JWT_SECRET: ")
    assert "hunter2" not in line
