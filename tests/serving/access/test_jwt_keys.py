"""The public keys: kept, fetched again in good time and no oftener, and used on while their URL is away."""

import asyncio
import time
from collections.abc import Iterator
from uuid import UUID

import jwt
import pytest

from models.db.errors import InputError
from models.db.settings import Settings
from serving.access import jwt_keys
from serving.access.auth import MAX_TOKEN_LENGTH, Verifier, make_verifier
from serving.access.jwt_keys import KeysUnavailable, PublishedKeys
from tests.serving.issuer import Issuer, claims, ec_key, jwk, published, rsa_key, signed

ME = UUID(int=7)
SECRET = "a secret of this test, long enough for HS256"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """A sign-in that publishes the EC key `first`."""
    with published() as issuer:
        issuer.publish(jwk("first", ec_key("first")))
        yield issuer


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    return make_verifier(Settings(jwks_url=issuer.url))


def token(name: str) -> str:
    return signed(claims(ME), name, ec_key(name))


async def believed(verifier: Verifier, name: str) -> bool:
    try:
        return await verifier.verify_token(token(name)) == ME
    except jwt.PyJWTError:
        return False


def test_keys_are_fetched_once_for_many_tokens(runner: asyncio.Runner, verifier: Verifier, issuer: Issuer) -> None:
    async def ask() -> list[bool]:
        return await asyncio.gather(*[believed(verifier, "first") for _ in range(50)])

    assert all(runner.run(ask()))
    assert all(runner.run(ask()))
    assert issuer.asked == 1


def test_strange_keys_do_not_make_it_hammer_the_sign_in(
    runner: asyncio.Runner, verifier: Verifier, issuer: Issuer
) -> None:
    async def ask() -> list[bool]:
        return await asyncio.gather(*[believed(verifier, f"strange {number % 5}") for number in range(200)])

    assert not any(runner.run(ask()))
    assert not any(runner.run(ask()))
    assert issuer.asked == 1


def test_a_failed_fetch_is_not_tried_again_at_once(runner: asyncio.Runner, verifier: Verifier, issuer: Issuer) -> None:
    issuer.status = 500
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            runner.run(believed(verifier, "first"))
    assert issuer.asked == 1


def test_a_new_key_is_believed_and_a_withdrawn_one_no_more(
    runner: asyncio.Runner, verifier: Verifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runner.run(believed(verifier, "first"))
    issuer.publish(jwk("first", ec_key("first")), jwk("second", ec_key("second")))
    assert not runner.run(believed(verifier, "second")), "too soon to ask again"
    monkeypatch.setattr(jwt_keys, "REFETCH_SECONDS", 0)
    assert runner.run(believed(verifier, "second"))
    assert runner.run(believed(verifier, "first"))
    assert issuer.asked == 2
    issuer.publish(jwk("second", ec_key("second")), jwk("third", ec_key("third")))
    assert runner.run(believed(verifier, "third"))
    assert not runner.run(believed(verifier, "first"))


def test_a_withdrawn_key_is_forgotten_without_anybody_asking(
    runner: asyncio.Runner, verifier: Verifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt_keys, "FRESH_SECONDS", 0.02)

    async def withdrawn() -> bool:
        fresh = asyncio.create_task(verifier.keys.keep_fresh())
        assert await believed(verifier, "first")
        issuer.publish(jwk("second", ec_key("second")))
        for _ in range(500):
            if await believed(verifier, "first"):
                await asyncio.sleep(0.02)
        fresh.cancel()
        return not await believed(verifier, "first") and await believed(verifier, "second")

    assert runner.run(withdrawn())


AWAY: list[tuple[int, bytes]] = [
    (500, b""),
    (404, b'{"keys": []}'),
    (200, b""),
    (200, b"\xff\xfe"),
    (200, b"[]"),
    (200, b'{"keys": []}'),
    (200, b'{"keys": 7}'),
    (200, b'{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'),
    (200, b'{"keys": [{"kty": "RSA", "kid": ["a"], "n": 7, "e": null}]}'),
    (200, b"[" * 100_000),
]


@pytest.mark.parametrize(("status", "answer"), AWAY, ids=[f"{status} {answer[:30]!r}" for status, answer in AWAY])
def test_keys_are_used_on_while_none_can_be_fetched(
    runner: asyncio.Runner,
    verifier: Verifier,
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    answer: bytes,
) -> None:
    assert runner.run(believed(verifier, "first"))
    issuer.status, issuer.answer = status, answer
    monkeypatch.setattr(jwt_keys, "REFETCH_SECONDS", 0)
    assert not runner.run(believed(verifier, "second"))
    assert issuer.asked == 2
    assert runner.run(believed(verifier, "first"))
    issuer.status = 200
    issuer.publish(jwk("second", ec_key("second")))
    assert runner.run(believed(verifier, "second"))


def test_a_redirect_is_not_followed(runner: asyncio.Runner, verifier: Verifier, issuer: Issuer) -> None:
    issuer.moved = True
    with pytest.raises(KeysUnavailable):
        runner.run(believed(verifier, "first"))


def test_a_sign_in_that_hangs_holds_up_nobody_else(
    runner: asyncio.Runner, verifier: Verifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runner.run(believed(verifier, "first"))
    issuer.seconds = 1.0
    monkeypatch.setattr(jwt_keys, "REFETCH_SECONDS", 0)
    monkeypatch.setattr(jwt_keys, "FETCH_SECONDS", 0.3)

    async def meanwhile() -> tuple[int, float]:
        started = time.monotonic()
        stranger = asyncio.create_task(believed(verifier, "second"))
        answered = 0
        while not stranger.done():
            assert await believed(verifier, "first")
            answered += 1
            await asyncio.sleep(0.01)
        assert not await stranger
        return answered, time.monotonic() - started

    answered, seconds = runner.run(meanwhile())
    assert answered >= 5
    assert 0.25 < seconds < 0.9


def test_a_token_too_long_to_read_is_not_read(runner: asyncio.Runner) -> None:
    verifier = make_verifier(Settings(jwt_secret=SECRET))
    body = claims(ME, padding="x" * MAX_TOKEN_LENGTH)
    with pytest.raises(ValueError, match="too long"):
        runner.run(verifier.verify_token(jwt.encode(body, SECRET)))


def test_a_secret_or_published_keys_never_both() -> None:
    with pytest.raises(InputError, match="MATCHING_JWKS_URL and MATCHING_JWT_SECRET are both set"):
        make_verifier(Settings(jwks_url="https://sign-in.test/jwks", jwt_secret=SECRET))


def test_production_needs_keys_that_somebody_chose() -> None:
    with pytest.raises(InputError, match=r"MATCHING_ENV is production.*MATCHING_JWKS_URL"):
        make_verifier(Settings(environment="production"))
    with pytest.raises(InputError, match="https in production"):
        make_verifier(Settings(environment="production", jwks_url="http://sign-in.test/jwks"))
    assert isinstance(
        make_verifier(Settings(environment="production", jwks_url="https://sign-in.test/jwks")).keys, PublishedKeys
    )
    assert make_verifier(Settings(environment="production", jwt_secret=SECRET)).keys.algorithms == ("HS256",)


def test_an_rsa_key_says_which_algorithm_it_is_for(runner: asyncio.Runner, verifier: Verifier, issuer: Issuer) -> None:
    unnamed = {name: value for name, value in jwk("rsa", rsa_key("a")).items() if name not in {"alg", "use"}}
    issuer.publish(unnamed)
    assert runner.run(verifier.verify_token(signed(claims(ME), "rsa", rsa_key("a")))) == ME
    with pytest.raises(jwt.InvalidAlgorithmError):
        runner.run(verifier.verify_token(jwt.encode(claims(ME), rsa_key("a"), "RS512", headers={"kid": "rsa"})))
