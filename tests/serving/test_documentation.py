"""The page at /docs works on a machine that reaches nothing but the API."""

import re
from urllib.parse import urljoin

from tests.serving.conftest import Api


def test_the_page_asks_nobody_else(api: Api) -> None:
    page = api.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    links = re.findall(r"(?:src|href)=\"([^\"]+)\"|url: '([^']+)'", page.text)
    addresses = {urljoin("/docs", first or second) for first, second in links}
    assert addresses == {
        "/docs/files/swagger-ui-bundle.js",
        "/docs/files/swagger-ui.css",
        "/docs/files/favicon.png",
        "/openapi.json",
    }
    kinds = {address.rpartition(".")[2]: api.get(address).headers["content-type"] for address in addresses}
    assert kinds == {
        "js": "text/javascript; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "png": "image/png",
        "json": "application/json",
    }


def test_only_the_page_s_files_are_there(api: Api) -> None:
    for path in ("/docs/files/", "/docs/files/../core.py", "/docs/files/%2e%2e/core.py", "/docs/files/nothing.js"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_what_is_not_for_the_app_is_not_in_the_document(api: Api) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert not {"/metrics", "/docs"} & paths.keys()


def test_every_address_with_a_token_may_refuse_it_or_ask_for_patience(api: Api) -> None:
    document = api.get("/openapi.json").json()
    for path, item in document["paths"].items():
        documented = item["get"]["responses"]
        assert ({"401", "429"} <= documented.keys()) == ("security" in item["get"]), path
    assert document["paths"]["/v1/me/matches"]["get"]["responses"]["429"] == {
        "description": "Too Many Requests: `urn:delete:problem:too-many-requests`.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
