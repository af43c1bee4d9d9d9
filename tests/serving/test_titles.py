"""Titles and the OpenAPI document are the same on every Python: the phrases of its `http` module change."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from serving.titles import TITLES
from tests.serving.conftest import Api, Town, serving, token_for

# Python runs this module when it starts.
OTHER_PHRASES = """
from http import HTTPStatus

for status in HTTPStatus:
    status.phrase = f"what another Python says of {int(status)}"
"""


@pytest.fixture(scope="module")
def elsewhere(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API on a Python with other phrases."""
    folder = tmp_path_factory.mktemp("phrases")
    (folder / "sitecustomize.py").write_text(OTHER_PHRASES)
    with serving(api_database, folder / "log", PYTHONPATH=str(folder)) as api:
        yield api


@pytest.mark.parametrize(
    ("method", "path", "title"),
    [
        ("GET", "/v1/me/matches?limit=0", "Unprocessable Entity"),
        ("GET", "/v1/me/matches?cursor=x", "Bad Request"),
        ("GET", "/v1/me/matches/not-an-id", "Unprocessable Entity"),
        ("GET", "/nowhere", "Not Found"),
        ("GET", "/docs/files/nowhere", "Not Found"),
        ("POST", "/v1/me/matches", "Method Not Allowed"),
        ("GET", "/readyz", "Service Unavailable"),
    ],
)
def test_problems_are_worded_alike(api: Api, elsewhere: Api, town: Town, method: str, path: str, title: str) -> None:
    headers = {"Authorization": f"Bearer {token_for(town.person())}"}
    here, there = (each.client.request(method, path, headers=headers) for each in (api, elsewhere))
    assert there.json() == here.json()
    assert there.json()["title"] == title


def test_openapi_documents_are_the_same(api: Api, elsewhere: Api) -> None:
    assert elsewhere.client.get("/openapi.json").json() == api.client.get("/openapi.json").json()


def test_every_error_status_has_a_title() -> None:
    assert {int(status) for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST} <= TITLES.keys()
