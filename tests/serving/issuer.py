"""A sign-in for the tests: it signs tokens with real keys and publishes the public ones at a JWKS URL that counts."""

import datetime as dt
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of this name; the same each time, for they take long to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    """The public half, as it is published."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return {**RSAAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": "RS256"}
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": "ES256"}


def claims(person: UUID, **changes: object) -> dict[str, Any]:
    """Good ones, but for `changes`; None takes one out."""
    now = dt.datetime.now(dt.UTC)
    good = {"iss": "delete", "aud": "delete-matching", "sub": str(person), "exp": now + dt.timedelta(minutes=5)}
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(body: Mapping[str, Any], kid: str | None, key: PrivateKey, **headers: object) -> str:
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    named = {} if kid is None else {"kid": kid}
    return jwt.encode(dict(body), key, algorithm, headers=named | headers)


class Issuer:
    """What the JWKS URL answers: `answer`, with `status`, after `seconds`; once it `moved`, it tells where to."""

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
def published(certificate: Path | None = None) -> Iterator[Issuer]:
    """An issuer whose URL answers: by https with `certificate`, else by http."""
    issuer = Issuer()

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

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/jwks.json"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_certificate(path: Path) -> None:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
    key, now = ec_key("tls"), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sign-in of the tests")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
