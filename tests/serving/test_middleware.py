"""What every answer goes through: who may read it, compression, headers."""

import gzip
from collections.abc import Iterator

import httpx2
import pytest

from tests.serving.conftest import Api, Town, serving, token_for

APP, OTHER_APP, STRANGER = "https://app.example", "http://localhost:5173", "https://app.example.evil"


@pytest.fixture(scope="module")
def open_api(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API that pages of two origins may read."""
    log = tmp_path_factory.mktemp("open_api") / "log"
    with serving(api_database, log, MATCHING_CORS_ORIGINS=f"{APP}, {OTHER_APP}") as api:
        yield api


def preflight(api: Api, origin: str, method: str = "GET", headers: str = "authorization") -> httpx2.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return api.client.options("/v1/me/matches", headers=asked)


@pytest.mark.parametrize("origin", [APP, OTHER_APP])
def test_a_page_of_the_app_may_ask(open_api: Api, origin: str) -> None:
    answer = preflight(open_api, origin, headers="authorization, if-none-match, x-request-id")
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert {"Authorization", "If-None-Match"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert answer.headers["access-control-max-age"] == "7200"
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", [STRANGER, "https://app.example:8443", "http://app.example", "null", "*"])
def test_a_page_of_another_may_not(open_api: Api, origin: str) -> None:
    answer = preflight(open_api, origin)
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (400, None)
    answer = open_api.get("/livez", Origin=origin)
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(("method", "headers"), [("DELETE", "authorization"), ("POST", ""), ("GET", "x-anything")])
def test_nothing_else_may_be_asked(open_api: Api, method: str, headers: str) -> None:
    assert preflight(open_api, APP, method, headers).status_code == 400


def test_a_page_of_the_app_may_read_answers_and_problems(open_api: Api, town: Town) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    good = open_api.get("/v1/me/matches", token_for(me), Origin=APP)
    refused = open_api.get("/v1/me/matches", "bad", Origin=APP)
    town.publish({me: [he]}, reasons=[[{"code": "close_by", "detail": "not a list"}]])
    unexpected = open_api.get("/v1/me/matches", token_for(me), Origin=APP)
    assert [answer.status_code for answer in (good, refused, unexpected)] == [200, 401, 500]
    for answer in (good, refused, unexpected):
        assert answer.headers["access-control-allow-origin"] == APP
        assert {"ETag", "Retry-After", "WWW-Authenticate", "X-Request-ID"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )


def test_without_origins_no_page_may_read_anything(api: Api) -> None:
    assert preflight(api, APP).status_code == 405
    assert "access-control-allow-origin" not in api.get("/livez", Origin=APP).headers


def raw(api: Api, path: str, token: str, encoding: str) -> tuple[httpx2.Headers, bytes]:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": encoding}
    with api.client.stream("GET", path, headers=headers) as answer:
        return answer.headers, b"".join(answer.iter_raw())


def test_a_large_answer_is_compressed_for_who_asks(api: Api, town: Town) -> None:
    me, men = town.person(), town.people("man", 10)
    town.publish({me: men})
    headers, compressed = raw(api, "/v1/me/matches", token_for(me), "gzip, br")
    assert (headers["content-encoding"], int(headers["content-length"])) == ("gzip", len(compressed))
    assert "Accept-Encoding" in headers["vary"]
    plain_headers, plain = raw(api, "/v1/me/matches", token_for(me), "identity")
    assert "content-encoding" not in plain_headers
    assert "Accept-Encoding" in plain_headers["vary"]
    assert gzip.decompress(compressed) == plain
    assert len(compressed) < len(plain) / 3


def test_a_small_answer_is_not(api: Api) -> None:
    headers, body = raw(api, "/livez", "nobody", "gzip")
    assert (body, headers.get("content-encoding")) == (b'{"status":"alive"}', None)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/nowhere", "/v1/me/matches", "/openapi.json", "/docs"])
def test_no_browser_guesses_what_an_answer_is(api: Api, path: str) -> None:
    answer = api.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.status_code >= 400:
        assert answer.headers["cache-control"] == "no-store"
