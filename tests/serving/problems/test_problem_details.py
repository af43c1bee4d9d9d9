"""Every error is a problem document (RFC 9457)."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from serving.schemas import Problem
from serving.titles import TITLES
from tests.serving.conftest import Api, Town, token_for


def problem(answer: httpx2.Response, status: HTTPStatus, kind: str | None = None) -> dict[str, Any]:
    """The problem of an answer, once its shape is right; of this kind, if one is given: the end of its type."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    Problem.model_validate_json(answer.content, strict=True)
    body: dict[str, Any] = answer.json()
    assert (body["title"], body["status"]) == (TITLES[status], status)
    assert body["detail"]
    assert kind is None or body["type"] == (kind if kind == "about:blank" else f"urn:delete:problem:{kind}")
    return body


def test_unauthorized(api: Api) -> None:
    body = problem(api.get("/v1/me/matches"), HTTPStatus.UNAUTHORIZED, "token-missing")
    assert body["detail"] == "a bearer token is needed"
    problem(api.get("/v1/me/matches", "bad"), HTTPStatus.UNAUTHORIZED, "token-invalid")


@pytest.mark.parametrize("path", ["matches", f"matches/{UUID(int=1)}", "most-compatible", "similar"])
def test_who_has_a_token_and_no_profile_yet_is_not_sent_to_sign_in_again(api: Api, town: Town, path: str) -> None:
    """A new token would be as good as this one; as soon as the profile is there, this one does."""
    me = uuid4()
    answer = api.get(f"/v1/me/{path}", token_for(me))
    assert "profile" in problem(answer, HTTPStatus.FORBIDDEN, "no-profile")["detail"]
    assert "www-authenticate" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    town.person(id=me)
    assert api.get(f"/v1/me/{path}", token_for(me)).status_code == (404 if "/" in path else 200)


def test_what_is_public_among_us_asks_for_no_profile(api: Api, town: Town) -> None:
    town.publish({})
    assert api.get("/v1/publications/current", token_for(uuid4())).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/me/matches/", "/v1/people/1/matches", "/livez/x", "/%00"])
def test_not_found(api: Api, path: str) -> None:
    problem(api.get(path), HTTPStatus.NOT_FOUND, "about:blank")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_not_allowed(api: Api, method: str) -> None:
    answer = api.client.request(method, "/v1/me/matches")
    problem(answer, HTTPStatus.METHOD_NOT_ALLOWED, "about:blank")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("limit", ["0", "51", "-1", "abc", "1.5", "", "99999999999999999999", "1&limit=99"])
def test_a_limit_out_of_range_is_named_and_not_repeated(api: Api, town: Town, limit: str) -> None:
    answer = api.get(f"/v1/me/matches?limit={limit}", token_for(town.person()))
    body = problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY, "parameter-invalid")
    assert [error["parameter"] for error in body["errors"]] == ["limit"]
    assert body["detail"] == f"limit: {body['errors'][0]['detail']}"
    assert "abc" not in answer.text
    assert "9999" not in answer.text


def test_no_publication(api: Api, town: Town) -> None:
    me = town.person()
    answer = api.get("/v1/publications/current", token_for(me))
    assert "no publication" in problem(answer, HTTPStatus.NOT_FOUND, "no-publication")["detail"]
    answer = api.get("/readyz")
    assert "no publication" in problem(answer, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")["detail"]
    assert answer.headers["retry-after"] == "5"


def test_the_unexpected_is_a_bare_500(api: Api, town: Town) -> None:
    me, he = town.person(), town.person("man", display_name="Secretive")
    town.publish({me: [he]}, reasons=[[{"code": "close_by", "detail": "Secretive is not a list"}]])
    answer = api.get("/v1/me/matches", token_for(me), **{"X-Request-ID": "find-me"})
    problem(answer, HTTPStatus.INTERNAL_SERVER_ERROR, "about:blank")
    assert answer.headers["x-request-id"] == "find-me"
    assert "Secretive" not in answer.text
    assert api.get("/livez").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/me/matches"])
def test_head_is_get_without_a_body(api: Api, town: Town, path: str) -> None:
    me = town.person()
    town.publish({me: []})
    headers = {"Authorization": f"Bearer {token_for(me)}"}
    head, get = api.client.head(path, headers=headers), api.client.get(path, headers=headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
