"""A sign-in for the tests: it signs tokens with real keys, publishes the public ones at a JWKS URL, counts requests."""

import base64
import datetime as dt
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://sign-in.test", "https://matching.test"
SHARED = b"a secret that is published by mistake, long enough"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The key of this name, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    """The public half, as it is published."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


def all_keys() -> list[dict[str, Any]]:
    """An RSA and an EC key, and others that must not be used."""
    return [
        jwk("rsa", rsa_key("a")),
        jwk("ec", ec_key("a")),
        {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(SHARED).decode()},
        jwk("encryption", rsa_key("encryption")) | {"use": "enc"},
        jwk("small", rsa_key("small", bits=1024)),
        {"kty": "?"},
    ]


def claims(person: UUID, **changes: object) -> dict[str, Any]:
    """Valid claims but for `changes`: a timedelta is relative to now, None removes a claim."""
    now = dt.datetime.now(dt.UTC)
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(person), "exp": dt.timedelta(minutes=5)}
    return {
        name: (now + value).timestamp() if isinstance(value, dt.timedelta) else value
        for name, value in (good | changes).items()
        if value is not None
    }


def signed(body: Mapping[str, Any], kid: str = "rsa", key: PrivateKey | None = None, **headers: object) -> str:
    """A token of any claims, also of those that PyJWT refuses to sign."""
    key = key or rsa_key("a")
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    return jwt.api_jws.encode(json.dumps(body).encode(), key, algorithm, headers={"kid": kid} | headers)


class Issuer:
    """The JWKS URL responds with `answer` and `status` after `seconds`; once `moved`, with a redirect."""

    def __init__(self) -> None:
        self.answer = b""
        self.status = 200
        self.seconds = 0.0
        self.moved = False
        self.asked = 0
        self.url = ""

    def publish(self, *keys: Mapping[str, Any]) -> None:
        self.answer = json.dumps({"keys": keys}).encode()


@contextmanager
def published(*keys: Mapping[str, Any]) -> Iterator[Issuer]:
    """A running issuer of these keys."""
    issuer = Issuer()
    issuer.publish(*keys)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            time.sleep(issuer.seconds)
            moved = issuer.moved and self.path == "/jwks.json"
            self.send_response(302 if moved else issuer.status)
            if moved:
                self.send_header("Location", "/moved.json")
            self.end_headers()
            self.wfile.write(issuer.answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
