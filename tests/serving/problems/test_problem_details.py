"""Every error is a problem document (RFC 9457)."""

from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from tests.serving.conftest import Api, Users, problem, token_for
from tests.serving.issuer import claims, signed


@pytest.mark.parametrize("path", ["matches", f"matches/{UUID(int=1)}", "most-compatible", "similar"])
def test_a_token_without_profile_is_no_reason_to_sign_in(api: Api, users: Users, path: str) -> None:
    """A new token would be as good; this one works as soon as there is a profile, and no more once it is erased."""
    me = uuid4()
    for _ in range(2):
        response = api.me(me, path)
        problem(response, HTTPStatus.FORBIDDEN, "no-profile")
        assert "www-authenticate" not in response.headers
        users.add(id=me)
        assert api.me(me, path).status_code == (404 if "/" in path else 200)
        users.erase(me)
    problem(api.me(me, path), HTTPStatus.FORBIDDEN, "no-profile")


def test_unknown_paths_and_methods(api: Api) -> None:
    for path in ("/v1", "/v1/me/matches/", "/v1/people/1/matches", "/livez/x", "/%00"):
        problem(api.get(path), HTTPStatus.NOT_FOUND, "about:blank")
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        response = api.client.request(method, "/v1/me/matches")
        problem(response, HTTPStatus.METHOD_NOT_ALLOWED, "about:blank")
        assert response.headers["allow"] == "GET"


BAD = {
    "limit": [*(f"matches?limit={limit}" for limit in ("0", "51", "abc", "1.5", "", "9" * 20)), "similar?limit=51"],
    "cursor": [f"matches?cursor={'A' * 2001}"],
    "candidate_id": ["matches/x", "matches/1", "matches/00000000-0000-0000-0000-00000000000g"],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_parameter_is_named_and_not_repeated(api: Api, users: Users, name: str) -> None:
    me = users.add()
    for path in BAD[name]:
        response = api.me(me, path)
        body = problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, "parameter-invalid")
        assert [error["parameter"] for error in body["errors"]] == [name]
        assert not [value for value in ("abc", "999", "AAAA", "0000g") if value in response.text]


def test_head_is_get_without_a_body(api: Api, users: Users) -> None:
    me, _ = users.viewer()
    headers = {"Authorization": f"Bearer {token_for(me)}"}
    for path in ("/livez", "/readyz", "/v1/me/matches"):
        head, get = api.client.head(path, headers=headers), api.client.get(path, headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]


def test_problems_are_the_same_on_every_python(api: Api, strict_api: Api, users: Users) -> None:
    me = users.add()
    tokens = {api: token_for(me), strict_api: signed(claims(me))}
    for method, path, title in (
        ("GET", "/v1/me/matches?cursor=x", "Bad Request"),
        ("GET", "/nowhere", "Not Found"),
        ("GET", "/docs/files/nowhere", "Not Found"),
        ("POST", "/v1/me/matches", "Method Not Allowed"),
        ("GET", "/v1/me/matches?limit=0", "Unprocessable Entity"),
        ("GET", "/readyz", "Service Unavailable"),
    ):
        here, there = (
            each.client.request(method, path, headers={"Authorization": f"Bearer {token}"}).json()
            for each, token in tokens.items()
        )
        assert here == there
        assert there["title"] == title
