"""The client's committed types are those of the service, and its sources are sound TypeScript."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.client.conftest import CLIENT, run
from tests.serving.conftest import Api


def exported() -> str:
    """The document as `make client` gets it: without a server, a database or a key."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "serving.openapi"], capture_output=True, text=True, check=True
    ).stdout


def test_the_exported_document_is_what_the_service_answers(api: Api) -> None:
    assert json.loads(exported()) == api.get("/openapi.json").json()


def test_to_export_the_document_leaves_no_key_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATCHING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MATCHING_ENV", "production")
    monkeypatch.setenv("MATCHING_JWKS_URL", "https://sign-in.example/keys")
    assert json.loads(exported())["info"]["title"] == "Delete matching"
    assert not (tmp_path / "home").exists()


def test_the_committed_types_are_those_of_the_running_service(node: None, api: Api) -> None:
    generated = run("npm", "run", "--silent", "types", stdin=api.get("/openapi.json").text)
    committed = (CLIENT / "src" / "schema.ts").read_text()
    assert generated == committed, "the API changed: run `make client` and commit serving/client/src/schema.ts"


def test_client_tests_and_example_pass_the_type_checker(client: Path) -> None:
    run("npm", "run", "check")
