"""The application as a whole: what it imports and how it documents itself."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.serving.conftest import SECRET, Api

LEARNING = {"models.ml", "pipelines", "dagster", "mlflow", "torch", "lightgbm", "pandas", "numpy", "sklearn", "scipy"}
LEARNING |= {"sentence_transformers", "pgvector", "alembic", "models.db.schema.tables"}


def test_the_learning_stack_is_not_loaded() -> None:
    program = "import json, sys, serving.app; serving.app.create_app().openapi(); print(json.dumps(list(sys.modules)))"
    environment = os.environ | {"DATABASE_URL": "postgresql://nowhere.invalid/x"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert {"fastapi", "psycopg_pool", "serving.queries"} <= loaded
    assert loaded & LEARNING == set()


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    body: dict[str, Any] = api.get("/openapi.json").json()
    return body


def test_operation_ids_are_stable(document: dict[str, Any]) -> None:
    ids = {
        path: [(method, op["operationId"]) for method, op in item.items()] for path, item in document["paths"].items()
    }
    assert ids == {
        "/v1/me/matches": [("get", "get_my_matches")],
        "/v1/me/matches/{candidate_id}": [("get", "get_my_match")],
        "/v1/me/likes": [("get", "get_my_likes")],
        "/v1/me/most-compatible": [("get", "get_my_most_compatible")],
        "/v1/me/similar": [("get", "get_similar_to_me")],
        "/v1/publications/current": [("get", "get_current_publication")],
        "/livez": [("get", "get_liveness")],
        "/readyz": [("get", "get_readiness")],
    }


def test_every_answer_is_documented(document: dict[str, Any]) -> None:
    documented = {
        path: {status: answer.get("content") for status, answer in item["get"]["responses"].items()}
        for path, item in document["paths"].items()
    }
    for path, schema, problems in (
        ("/v1/me/matches", "Matches", {"400", "401", "403", "410", "422", "429", "503"}),
        ("/v1/me/likes", "Likes", {"400", "401", "403", "410", "422", "429", "503"}),
        ("/v1/me/matches/{candidate_id}", "Match", {"401", "403", "404", "422", "429", "503"}),
        ("/v1/me/most-compatible", "MostCompatible", {"401", "403", "429", "503"}),
        ("/v1/me/similar", "Similar", {"401", "403", "422", "429", "503"}),
        ("/v1/publications/current", "CurrentPublication", {"401", "404", "429", "503"}),
        ("/livez", "Liveness", set()),
        ("/readyz", "Readiness", {"503"}),
    ):
        answers = documented.pop(path)
        assert answers.pop("200") == {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        if path.startswith("/v1/"):
            assert answers.pop("304") is None, "it has no body"
        assert set(answers) == problems
        for content in answers.values():
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert documented == {}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_answer_says_which_problems_it_may_be(document: dict[str, Any]) -> None:
    types = set(document["components"]["schemas"]["ProblemType"]["enum"])
    assert document["components"]["schemas"]["Problem"]["properties"]["type"]["$ref"].endswith("/ProblemType")
    answers = {path: item["get"]["responses"] for path, item in document["paths"].items()}
    said = {
        (path, status): re.findall(r"urn:[a-z:-]+", answer["description"])
        for path, each in answers.items()
        for status, answer in each.items()
        if int(status) >= 400
    }
    assert all(said.values())
    assert {each for some in said.values() for each in some} == types - {"about:blank"}
    assert [each.rpartition(":")[2] for each in said["/v1/me/matches", "401"]] == ["token-missing", "token-invalid"]
    assert [each.rpartition(":")[2] for each in said["/v1/publications/current", "404"]] == ["no-publication"]


def test_all_but_health_need_a_token(document: dict[str, Any]) -> None:
    needed = {path for path, item in document["paths"].items() if "security" in item["get"]}
    assert needed == {path for path in document["paths"] if path.startswith("/v1/")}
    limit, cursor = document["paths"]["/v1/me/matches"]["get"]["parameters"]
    assert (cursor["name"], cursor["required"]) == ("cursor", False)
    assert (limit["name"], limit["required"]) == ("limit", False)
    assert {key: limit["schema"][key] for key in ("minimum", "maximum", "default")} == {
        "minimum": 1,
        "maximum": 50,
        "default": 20,
    }


UNSAFE = {
    "no keys that somebody chose": ({}, "set MATCHING_JWKS_URL"),
    "a short secret": ({"MATCHING_JWT_SECRET": "hunter2"}, "MATCHING_JWT_SECRET: "),
    "keys that anybody on the way can change": (
        {"MATCHING_JWKS_URL": "http://sign-in.test/jwks", "MATCHING_CURSOR_SECRET": SECRET},
        "must be https",
    ),
    "no secret for cursors": ({"MATCHING_JWKS_URL": "https://sign-in.test/jwks"}, "set MATCHING_CURSOR_SECRET"),
    "a secret and keys": (
        {"MATCHING_JWKS_URL": "https://sign-in.test/jwks", "MATCHING_JWT_SECRET": SECRET},
        "are both set",
    ),
}


@pytest.mark.parametrize("why", UNSAFE)
def test_it_does_not_start_in_production_with_settings_that_are_not_safe(why: str) -> None:
    variables, said = UNSAFE[why]
    environment = os.environ | {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "MATCHING_ENV": "production"} | variables
    words = [sys.executable, "-m", "uvicorn", "serving.app:create_app", "--factory", "--port", "0"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("the API does not start: ")
    assert said in line
    assert "hunter2" not in line
