"""Only a valid token names the viewer: signed with a shared secret, or with a published key."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.serving.conftest import SECRET, Api, Users, ids, serving, token_for
from tests.serving.issuer import AUDIENCE, SHARED, claims, ec_key, jwk, rsa_key, signed

STRANGER = rsa_key("stranger")
PEM = rsa_key("a").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
Claims = dict[str, Any]


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(body: Claims, secret: bytes, **header: str) -> str:
    """A token signed by HMAC, whatever its header says."""
    signing_input = ".".join(encoded(json.dumps(part).encode()) for part in (header, body))
    return f"{signing_input}.{encoded(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def tampered(body: Claims) -> str:
    header, _, signature = signed(body).split(".")
    return f"{header}.{encoded(json.dumps(body | {'sub': str(uuid4())}).encode())}.{signature}"


def by_small_key(body: Claims) -> str:
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        return signed(body, "small", rsa_key("small", bits=1024))


def refused(response: httpx2.Response) -> None:
    challenge = response.headers["www-authenticate"]
    assert (response.status_code, challenge) == (401, 'Bearer error="invalid_token"')
    assert response.json()["type"] == "urn:delete:problem:token-invalid"


BADLY_SIGNED: dict[str, Callable[[Claims], str]] = {
    "HS256 with the public key": lambda body: by_hand(body, PEM, alg="HS256", kid="rsa"),
    "HS256 with a published secret": lambda body: by_hand(body, SHARED, alg="HS256", kid="oct"),
    "unsigned": lambda body: jwt.encode(body, "", "none", headers={"kid": "rsa"}),
    "another algorithm": lambda body: jwt.encode(body, rsa_key("a"), "RS512", headers={"kid": "rsa"}),
    "another kind of key": lambda body: signed(body, "rsa", ec_key("a")),
    "a stranger's key under a known name": lambda body: signed(body, "rsa", STRANGER),
    "an unknown key": lambda body: signed(body, "stranger", STRANGER),
    "no key named": lambda body: jwt.encode(body, rsa_key("a"), "RS256"),
    "a key for encryption": lambda body: signed(body, "encryption", rsa_key("encryption")),
    "a key that is too small": by_small_key,
    "a key brought along": lambda body: signed(body, "rsa", STRANGER, jwk=jwk("rsa", STRANGER)),
    "tampered with": tampered,
    "of development": lambda body: token_for(UUID(body["sub"])),
}


@pytest.mark.parametrize("kind", BADLY_SIGNED)
def test_a_badly_signed_token_is_refused(strict_api: Api, users: Users, kind: str) -> None:
    refused(strict_api.get("/v1/me/matches", BADLY_SIGNED[kind](claims(users.add()))))


BAD_CLAIMS: dict[str, list[object]] = {
    "exp": [timedelta(seconds=-21), "never", float("inf"), None],
    "nbf": [timedelta(minutes=1)],
    "iat": [timedelta(days=1)],
    "iss": ["delete", ["https://sign-in.test"], None],
    "aud": ["delete-matching", ["a", "b"], None],
    "sub": ["speed-dating:1", 7, None],
}


@pytest.mark.parametrize("name", BAD_CLAIMS)
def test_a_token_with_a_bad_claim_is_refused(strict_api: Api, users: Users, name: str) -> None:
    me = users.add()
    for value in BAD_CLAIMS[name]:
        refused(strict_api.get("/v1/me/matches", signed(claims(me, **{name: value}))))


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_a_token_signed_with_a_published_key_is_accepted(strict_api: Api, users: Users, kid: str) -> None:
    me, men = users.viewer()
    key = rsa_key("a") if kid == "rsa" else ec_key("a")
    soon, late = timedelta(seconds=15), timedelta(seconds=-5)
    for changes in ({}, {"aud": ["another", AUDIENCE]}, {"nbf": soon, "iat": soon}, {"exp": late}):
        response = strict_api.get("/v1/me/matches", signed(claims(me, **changes), kid, key))
        assert ids(response.json()) == men, changes


def test_the_shared_secret_signs_hs256_alone(api: Api, users: Users) -> None:
    me, men = users.viewer()
    body = claims(me, iss="delete", aud="delete-matching")
    for token in (jwt.encode(body, SECRET), token_for(me, timedelta(seconds=-25))):
        assert ids(api.get("/v1/me/matches", token).json()) == men
    for token in (
        token_for(me, timedelta(seconds=-31)),
        jwt.encode(body, SECRET[::-1]),
        jwt.encode(body, SECRET * 2, "HS512"),
        jwt.encode(body, "", "none"),
        signed(body),
        by_hand(body, SECRET.encode()),
        jwt.encode(claims(me), SECRET),
        *("abc", "a.b.c", "..", "Bearer", "." * 10_000),
    ):
        refused(api.get("/v1/me/matches", token))
    refused(api.client.get("/v1/me/matches", headers=[(b"Authorization", b"Bearer \xe4.\xf6.\xfc")]))


def test_a_token_counts_in_its_header_alone(api: Api, users: Users) -> None:
    token = token_for(users.add())
    for query in ("", "?limit=abc", f"?token={token}", f"?access_token={token}"):
        for header in ({}, *({"Authorization": value} for value in ("", "Bearer", "Basic bWU6c2VjcmV0", token))):
            response = api.client.get(f"/v1/me/matches{query}", headers=header)
            assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer"), (query, header)
            assert response.json()["type"] == "urn:delete:problem:token-missing"


def test_without_keys_and_database_the_api_starts(tmp_path: Path) -> None:
    keys = {"MATCHING_JWT_SECRET": "", "MATCHING_JWKS_URL": "http://127.0.0.1:1/", "MATCHING_CURSOR_SECRET": SECRET}
    with serving("postgresql://127.0.0.1:1/nowhere", tmp_path / "log", **keys) as api:
        assert api.get("/livez").status_code == 200
        unverified = api.get("/v1/me/matches", signed(claims(uuid4())))
        assert "public keys" in unverified.json()["detail"]
        for response in (unverified, api.get("/readyz")):
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        refused(api.get("/v1/me/matches", "no.token.atall"))
        metrics = api.get("/metrics").text
        assert "matching_publication_id NaN" in metrics
        assert "matching_pool_available 0.0" in metrics


ASIDE = ("sub={you}", "viewer={you}", "profile_id={you}", "user={you}", "me={you}", "id={you}", "token={token}")
HEADERS = ["X-User-Id", "X-Profile-Id", "X-Viewer-Id", "X-Forwarded-User", "X-Remote-User", "Cookie", "From"]
HEADERS += ["Proxy-Authorization", "X-Authorization", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"]


def test_nothing_but_the_first_token_names_the_viewer(api: Api, users: Users) -> None:
    me, you, mine, yours = users.add(), users.add(), *users.men(2)
    users.publish({me: [mine], you: [yours]})
    token = token_for(you)
    for query in ASIDE:
        assert ids(api.read(me, f"matches?{query.format(you=you, token=token)}")) == [mine], query
    for header in HEADERS:
        for value in (str(you), f"sub={you}; token={token}", f"Bearer {token}", f"/v1/{you}/matches"):
            assert ids(api.me(me, "matches", **{header: value}).json()) == [mine], (header, value)
    for path in (f"/v1/{you}/matches", f"/v1/people/{you}/matches", f"/v1/me/matches/../../{you}/matches"):
        assert api.get(path, token_for(me)).status_code == 404
    both = [("Authorization", f"Bearer {token_for(person)}") for person in (me, you)]
    assert ids(api.client.get("/v1/me/matches", headers=both).json()) == [mine]
    joined = {"Authorization": ", ".join(value for _, value in both)}
    assert api.client.get("/v1/me/matches", headers=joined).status_code == 401
