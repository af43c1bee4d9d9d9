"""Only a good token says who "me" is."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from tests.serving.conftest import SECRET, Api, Town, token_for
from tests.serving.issuer import rsa_key

Claims = dict[str, Any]


def good_claims(person: UUID) -> Claims:
    now = datetime.now(UTC)
    return {"iss": "delete", "aud": "delete-matching", "sub": str(person), "exp": now + timedelta(minutes=5)}


def signed(claims: Claims, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm)


def without(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def tampered(claims: Claims) -> str:
    """Somebody else's claims under a good signature."""
    header, _, signature = signed(claims).split(".")
    other = json.dumps(claims | {"sub": str(uuid4()), "exp": 9999999999}).encode()
    return ".".join([header, base64.urlsafe_b64encode(other).decode().rstrip("="), signature])


def signed_with_empty_header(claims: Claims) -> str:
    """A right signature under a header that names no algorithm."""
    body = json.dumps(claims | {"exp": 9999999999}).encode()
    signing_input = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", body))
    signature = hmac.digest(SECRET.encode(), signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed_number(claims: Claims) -> str:
    # PyJWT refuses to sign this, so another library would have.
    body = json.dumps(claims | {"sub": 7, "exp": 9999999999}).encode()
    return jwt.api_jws.encode(body, SECRET, "HS256", headers={"typ": "JWT"})


BAD: dict[str, Callable[[Claims], str]] = {
    "unsigned": lambda claims: signed(claims, "", "none"),
    "another algorithm": lambda claims: signed(claims, SECRET * 2, "HS512"),
    "another algorithm, same secret": lambda claims: signed(claims, SECRET, "HS384"),
    "no algorithm": signed_with_empty_header,
    "signed by a key": lambda claims: jwt.encode(claims, rsa_key("stranger"), "RS256"),
    "another secret": lambda claims: signed(claims, SECRET[::-1]),
    "tampered with": tampered,
    "signature cut off": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "expired": lambda claims: signed(claims | {"exp": ago(31)}),
    "never expires": lambda claims: signed(without(claims, "exp")),
    "issued tomorrow": lambda claims: signed(claims | {"iat": ago(-86_400)}),
    "not yet valid": lambda claims: signed(claims | {"nbf": ago(-60)}),
    "another issuer": lambda claims: signed(claims | {"iss": "delete-staging"}),
    "no issuer": lambda claims: signed(without(claims, "iss")),
    "another audience": lambda claims: signed(claims | {"aud": "delete-chat"}),
    "no audience": lambda claims: signed(without(claims, "aud")),
    "nobody": lambda claims: signed(without(claims, "sub")),
    "not a uuid": lambda claims: signed(claims | {"sub": "speed-dating:1"}),
    "a number": signed_number,
}


def test_a_good_token_is_let_in(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    assert api.get("/v1/me/matches", signed(good_claims(me))).status_code == 200
    assert api.get("/v1/me/matches", token_for(me)).status_code == 200


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_is_refused(api: Api, town: Town, kind: str) -> None:
    me = town.person()
    town.publish({me: []})
    answer = api.get("/v1/me/matches", BAD[kind](good_claims(me)))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert str(me) not in answer.text


@pytest.mark.parametrize("token", ["abc", "a.b.c", "..", "Bearer", "\xe4.\xf6.\xfc", "." * 10_000])
def test_what_is_no_token_is_refused(api: Api, token: str) -> None:
    authorization = f"Bearer {token}".encode("latin-1")
    answer = api.client.get("/v1/me/matches", headers=[(b"Authorization", authorization)])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert answer.json()["type"] == "urn:delete:problem:token-invalid"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic bWU6c2VjcmV0", "{token}"])
def test_a_missing_token_is_asked_for(api: Api, town: Town, authorization: str | None) -> None:
    token = token_for(town.person())
    headers = {} if authorization is None else {"Authorization": authorization.format(token=token)}
    answer = api.client.get("/v1/me/matches", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "urn:delete:problem:token-missing"


@pytest.mark.parametrize("place", ["?token={}", "?access_token={}"])
def test_a_token_in_the_address_is_no_token(api: Api, town: Town, place: str) -> None:
    assert api.get("/v1/me/matches" + place.format(token_for(town.person()))).status_code == 401


def test_clocks_may_differ_by_half_a_minute(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    assert api.get("/v1/me/matches", token_for(me, timedelta(seconds=-25))).status_code == 200
    assert api.get("/v1/me/matches", token_for(me, timedelta(seconds=-31))).status_code == 401


def test_the_token_of_an_erased_person_is_refused(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    assert api.matches(me).status_code == 200
    town.erase(me)
    assert api.matches(me).status_code == 403


def test_a_refused_caller_learns_nothing_about_parameters(api: Api) -> None:
    assert api.get("/v1/me/matches?limit=abc").status_code == 401


ASIDE = [
    "sub={you}",
    "viewer={you}",
    "viewer_id={you}",
    "profile_id={you}",
    "user={you}",
    "me={you}",
    "id={you}",
    "token={token}",
    "access_token={token}",
    "authorization=Bearer%20{token}",
]
HEADERS = ["X-User-Id", "X-Profile-Id", "X-Viewer-Id", "X-Forwarded-User", "X-Remote-User", "Cookie", "From"]
HEADERS += ["Proxy-Authorization", "X-Authorization", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"]


@pytest.fixture
def pair(town: Town) -> tuple[UUID, UUID, UUID, UUID]:
    """Me, you, and the one that each of us is shown."""
    me, you, mine, yours = town.person(), town.person(), town.person("man"), town.person("man")
    for person in (mine, yours):
        town.block(person, you if person == mine else me)  # else we might be shown each other's as similar people
    town.publish({me: [mine], you: [yours]})
    return me, you, mine, yours


def test_nothing_in_the_address_makes_me_another(api: Api, pair: tuple[UUID, UUID, UUID, UUID]) -> None:
    me, you, mine, yours = pair
    values = {"you": you, "token": token_for(you)}
    for query in ASIDE:
        answer = api.get(f"/v1/me/matches?{query.format(**values)}", token_for(me))
        assert answer.status_code == 200, query
        assert str(mine) in answer.text, query
        assert str(yours) not in answer.text, query


@pytest.mark.parametrize("header", HEADERS)
def test_no_other_header_makes_me_another(api: Api, pair: tuple[UUID, UUID, UUID, UUID], header: str) -> None:
    me, you, mine, yours = pair
    for value in (str(you), f"sub={you}; token={token_for(you)}", f"Bearer {token_for(you)}", f"/v1/{you}/matches"):
        answer = api.get("/v1/me/matches", token_for(me), **{header: value})
        assert answer.status_code == 200, value
        assert str(mine) in answer.text, value
        assert str(yours) not in answer.text, value


@pytest.mark.parametrize(
    "path", ["/v1/{you}/matches", "/v1/people/{you}/matches", "/v1/me/matches/../../{you}/matches"]
)
def test_no_path_leads_to_another_s_list(api: Api, pair: tuple[UUID, UUID, UUID, UUID], path: str) -> None:
    me, you, _, yours = pair
    answer = api.get(path.format(you=you), token_for(me))
    assert answer.status_code == 404
    assert str(yours) not in answer.text


def test_of_two_tokens_neither_counts_or_the_first(api: Api, pair: tuple[UUID, UUID, UUID, UUID]) -> None:
    me, you, mine, yours = pair
    both = [("Authorization", f"Bearer {token_for(person)}") for person in (me, you)]
    answer = api.client.get("/v1/me/matches", headers=both)
    assert (answer.status_code, str(mine) in answer.text, str(yours) in answer.text) == (200, True, False)
    joined = {"Authorization": ", ".join(value for _, value in both)}
    assert api.client.get("/v1/me/matches", headers=joined).status_code == 401


def test_another_s_match_is_not_mine_to_open(api: Api, pair: tuple[UUID, UUID, UUID, UUID]) -> None:
    me, you, mine, yours = pair
    assert api.get(f"/v1/me/matches/{mine}", token_for(me)).status_code == 200
    assert api.get(f"/v1/me/matches/{yours}", token_for(me)).status_code == 404
    assert api.get(f"/v1/me/matches/{yours}", token_for(you)).status_code == 200
