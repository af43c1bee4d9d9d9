"""The client's committed types are those of the service, and its sources are sound TypeScript."""

from pathlib import Path

from tests.serving.client.conftest import CLIENT, run
from tests.serving.conftest import Api


def test_the_committed_types_are_those_of_the_running_service(node: None, api: Api) -> None:
    generated = run("npm", "run", "--silent", "types", stdin=api.get("/openapi.json").text)
    committed = (CLIENT / "src" / "schema.ts").read_text()
    assert generated == committed, "the API changed: run `make client` and commit serving/client/src/schema.ts"


def test_client_tests_and_example_pass_the_type_checker(client: Path) -> None:
    run("npm", "run", "check")
