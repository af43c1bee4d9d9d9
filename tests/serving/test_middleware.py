"""What every response goes through: who may read it, compression, headers."""

import httpx2

from tests.serving.conftest import APP, UNEXPECTED, Api, Users, token_for
from tests.serving.issuer import claims, signed


def preflight(api: Api, origin: str, method: str = "GET", headers: str = "authorization") -> httpx2.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return api.client.options("/v1/me/matches", headers=asked)


def test_a_page_of_the_app_may_ask(strict_api: Api) -> None:
    for origin in (APP, "http://localhost:5173"):
        response = preflight(strict_api, origin, headers="authorization, if-none-match, x-request-id")
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, origin)
        assert response.headers["access-control-allow-methods"] == "GET, HEAD"
        assert "access-control-allow-credentials" not in response.headers
        assert "Origin" in response.headers["vary"]


def test_no_other_page_may_ask_and_the_app_nothing_else(strict_api: Api) -> None:
    for origin in (f"{APP}.evil", f"{APP}:8443", "http://app.example", "null", "*"):
        response = preflight(strict_api, origin)
        assert (response.status_code, response.headers.get("access-control-allow-origin")) == (400, None)
        response = strict_api.get("/livez", Origin=origin)
        assert "access-control-allow-origin" not in response.headers
        assert "Origin" in response.headers["vary"]
    for method, headers in (("DELETE", "authorization"), ("POST", ""), ("GET", "x-anything")):
        assert preflight(strict_api, APP, method, headers).status_code == 400


def test_a_page_of_the_app_may_read_even_problems(strict_api: Api, users: Users) -> None:
    me, men = users.viewer()
    token = signed(claims(me))
    responses = [strict_api.get("/v1/me/matches", each, Origin=APP) for each in (token, "bad")]
    users.publish({me: men}, reasons=UNEXPECTED)
    responses.append(strict_api.get("/v1/me/matches", token, Origin=APP))
    assert [response.status_code for response in responses] == [200, 401, 500]
    for response in responses:
        assert response.headers["access-control-allow-origin"] == APP
        exposed = set(response.headers["access-control-expose-headers"].split(", "))
        assert {"ETag", "Retry-After", "WWW-Authenticate", "X-Request-ID"} <= exposed


def test_without_origins_no_page_may_read_anything(api: Api) -> None:
    assert preflight(api, APP).status_code == 405
    assert "access-control-allow-origin" not in api.get("/livez", Origin=APP).headers


def test_large_responses_are_compressed_if_asked(api: Api, users: Users) -> None:
    token = token_for(users.viewer(10)[0])
    plain, packed = (api.get("/v1/me/matches", token, **{"Accept-Encoding": each}) for each in ("identity", "gzip, br"))
    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "Accept-Encoding" in plain.headers["vary"]
    assert "content-encoding" not in api.get("/livez", **{"Accept-Encoding": "gzip"}).headers


def test_no_browser_guesses_the_type_of_a_response(api: Api) -> None:
    for path in ("/livez", "/readyz", "/nowhere", "/v1/me/matches", "/openapi.json", "/docs"):
        assert api.get(path).headers["x-content-type-options"] == "nosniff"
