"""Tokens of the app's sign-in, by its published keys, in production: real keys, a real JWKS URL over https."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest

from tests.serving.conftest import SECRET, Api, Town, serving
from tests.serving.issuer import claims, ec_key, jwk, public_pem, published, rsa_key, signed, write_certificate

CURSOR_SECRET = "another secret of the tests, for the cursors"
ISSUER, AUDIENCE = "https://sign-in.test", "https://matching.test"


@pytest.fixture(scope="module")
def strict_api(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API as in production, with an RSA and an EC key published, and some that it must not use."""
    folder = tmp_path_factory.mktemp("strict_api")
    write_certificate(folder / "tls.pem")
    with published(folder / "tls.pem") as issuer:
        oct_key = {"kty": "oct", "kid": "oct", "k": encoded(SECRET.encode())}
        encryption = jwk("encryption", rsa_key("encryption")) | {"use": "enc"}
        small = jwk("small", rsa_key("small", bits=1024))
        issuer.publish(jwk("rsa", rsa_key("a")), jwk("ec", ec_key("a")), oct_key, encryption, small, {"kty": "?"})
        variables = {
            "MATCHING_ENV": "production",
            "MATCHING_JWT_SECRET": "",
            "MATCHING_JWKS_URL": issuer.url,
            "MATCHING_JWT_ISSUER": ISSUER,
            "MATCHING_JWT_AUDIENCE": AUDIENCE,
            "MATCHING_JWT_LEEWAY_SECONDS": "20",
            "MATCHING_CURSOR_SECRET": CURSOR_SECRET,
            "SSL_CERT_FILE": str(folder / "tls.pem"),
        }
        with serving(api_database, folder / "log", **variables) as api:
            yield api
        assert issuer.asked <= 3, "strange keys made the API ask again and again"


def mine(person: UUID, **changes: object) -> dict[str, Any]:
    """Good claims but for `changes`, of which a timedelta is one from now."""
    now = datetime.now(UTC)
    moments = {name: now + value for name, value in changes.items() if isinstance(value, timedelta)}
    return claims(person, **{"iss": ISSUER, "aud": AUDIENCE} | changes | moments)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(header: Mapping[str, object], body: Mapping[str, Any], secret: bytes) -> str:
    """A token signed by HMAC, whatever it says of itself: PyJWT would refuse to make it."""
    plain = {name: value.timestamp() if isinstance(value, datetime) else value for name, value in body.items()}
    signing_input = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(plain).encode())}"
    return f"{signing_input}.{encoded(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def tampered(person: UUID) -> str:
    header, body, signature = signed(mine(person), "rsa", rsa_key("a")).split(".")
    flipped = encoded(json.dumps(mine(person, exp=9999999999)).encode())
    assert body != flipped
    return f"{header}.{flipped}.{signature}"


def rsa_signed(**changes: object) -> Callable[[UUID], str]:
    return lambda person: signed(mine(person, **changes), "rsa", rsa_key("a"))


def confused(secret: bytes, kid: str = "rsa", algorithm: str = "HS256") -> Callable[[UUID], str]:
    return lambda person: by_hand({"alg": algorithm, "kid": kid, "typ": "JWT"}, mine(person), secret)


STRANGER = rsa_key("stranger")
RSA_JWK = jwk("rsa", rsa_key("a"))

BAD: dict[str, Callable[[UUID], str]] = {
    "HS256 with the public key's PEM": confused(public_pem(rsa_key("a"))),
    "HS256 with the public key's PEM, stripped": confused(public_pem(rsa_key("a")).strip()),
    "HS256 with the published JWK": confused(json.dumps(RSA_JWK).encode()),
    "HS256 with the modulus": confused(RSA_JWK["n"].encode()),
    "HS256 with the EC key's PEM": confused(public_pem(ec_key("a")), "ec"),
    "HS256 with a published secret": confused(SECRET.encode(), "oct"),
    "HMAC called RS256": confused(public_pem(rsa_key("a")), algorithm="RS256"),
    "HS256 with nothing": confused(b""),
    "unsigned": lambda person: jwt.encode(mine(person), "", "none", headers={"kid": "rsa"}),
    "unsigned, in capitals": lambda person: (
        by_hand({"alg": "NONE", "kid": "rsa"}, mine(person), b"").rpartition(".")[0] + "."
    ),
    "RS512": lambda person: jwt.encode(mine(person), rsa_key("a"), "RS512", headers={"kid": "rsa"}),
    "PS256": lambda person: jwt.encode(mine(person), rsa_key("a"), "PS256", headers={"kid": "rsa"}),
    "the RSA key's name, signed by the EC key": lambda person: signed(mine(person), "rsa", ec_key("a")),
    "the EC key's name, signed by the RSA key": lambda person: signed(mine(person), "ec", rsa_key("a")),
    "a stranger's key under a known name": lambda person: signed(mine(person), "rsa", STRANGER),
    "an unknown key": lambda person: signed(mine(person), "stranger", STRANGER),
    "no key named": lambda person: signed(mine(person), None, rsa_key("a")),
    "a key for encryption": lambda person: signed(mine(person), "encryption", rsa_key("encryption")),
    "a key that is too small": lambda person: by_small_key(mine(person)),
    "a key brought along": lambda person: signed(mine(person), "rsa", STRANGER, jwk=jwk("rsa", STRANGER)),
    "a key brought along by address": lambda person: signed(mine(person), "x", STRANGER, jku="http://127.0.0.1:1/"),
    "a header that must be understood": lambda person: signed(mine(person), "rsa", rsa_key("a"), crit=["exp"]),
    "tampered with": tampered,
    "signature cut off": lambda person: rsa_signed()(person).rpartition(".")[0] + ".",
    "expired": rsa_signed(exp=timedelta(seconds=-21)),
    "not yet valid": rsa_signed(nbf=timedelta(seconds=60)),
    "issued tomorrow": rsa_signed(iat=timedelta(days=1)),
    "another issuer": rsa_signed(iss="https://sign-in.test/"),
    "the default issuer": rsa_signed(iss="delete"),
    "several issuers": lambda person: with_any_claims(mine(person, iss=[ISSUER])),
    "another audience": rsa_signed(aud="delete-matching"),
    "other audiences": rsa_signed(aud=["a", "b"]),
    "no issuer": rsa_signed(iss=None),
    "no audience": rsa_signed(aud=None),
    "no expiry": rsa_signed(exp=None),
    "nobody": rsa_signed(sub=None),
    "not a uuid": rsa_signed(sub="speed-dating:1"),
    "a number": lambda person: with_any_claims(mine(person, sub=person.int)),
    "an expiry that is no time": lambda person: with_any_claims(mine(person, exp="never")),
    "an expiry without end": lambda person: with_any_claims(mine(person, exp=float("inf"))),
}


def with_any_claims(body: Mapping[str, Any]) -> str:
    """Signed as another library would sign what PyJWT refuses to."""
    plain = {name: value.timestamp() if isinstance(value, datetime) else value for name, value in body.items()}
    return jwt.api_jws.encode(json.dumps(plain).encode(), rsa_key("a"), "RS256", headers={"kid": "rsa"})


def by_small_key(body: Mapping[str, Any]) -> str:
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        return signed(body, "small", rsa_key("small", bits=1024))


@pytest.mark.parametrize("kid", ["rsa", "ec"])
def test_a_good_token_is_let_in(strict_api: Api, town: Town, kid: str) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    key = rsa_key("a") if kid == "rsa" else ec_key("a")
    soon, late = timedelta(seconds=15), timedelta(seconds=-5)
    for changes in ({}, {"aud": ["another", AUDIENCE]}, {"nbf": soon, "iat": soon}, {"exp": late}):
        answer = strict_api.get("/v1/me/matches", signed(mine(me, **changes), kid, key))
        assert (answer.status_code, [match["candidate"]["id"] for match in answer.json()["matches"]]) == (
            200,
            [str(he)],
        )


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_is_refused(strict_api: Api, town: Town, kind: str) -> None:
    me = town.person()
    town.publish({me: []})
    token = BAD[kind](me)
    answer = strict_api.get("/v1/me/matches", token)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert answer.headers["cache-control"] == "no-store"
    assert str(me) not in answer.text


def test_the_token_of_an_erased_person_is_refused(strict_api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    token = signed(mine(me), "ec", ec_key("a"))
    assert strict_api.get("/v1/me/matches", token).status_code == 200
    town.erase(me)
    for path in ("matches", f"matches/{me}", "most-compatible", "similar"):
        assert strict_api.get(f"/v1/me/{path}", token).status_code == 403


def test_without_any_keys_nobody_is_told_that_their_token_is_bad(api_database: str, tmp_path: Path) -> None:
    variables = {
        "MATCHING_JWT_SECRET": "",
        "MATCHING_JWKS_URL": "http://127.0.0.1:1/",
        "MATCHING_CURSOR_SECRET": SECRET,
    }
    with serving(api_database, tmp_path / "log", **variables) as api:
        answer = api.get("/v1/me/matches", signed(mine(UUID(int=1)), "rsa", rsa_key("a")))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "public keys" in answer.json()["detail"]
        assert api.get("/v1/me/matches", "no.token.atall").status_code == 401
