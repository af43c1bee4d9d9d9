"""The public keys: fetched in good time and no more often, and still used while their URL is away."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import jwt
import pytest
from structlog.testing import capture_logs

from models.db.settings import Settings
from serving.access.auth import MAX_TOKEN_LENGTH, Verifier, make_verifier
from serving.access.jwt_keys import KeysUnavailable, PublishedKeys
from tests.serving.conftest import SECRET
from tests.serving.issuer import AUDIENCE, ISSUER, Issuer, claims, ec_key, jwk, published, rsa_key, signed

ME = UUID(int=7)
FIRST, SECOND = (jwk(name, ec_key(name)) for name in ("first", "second"))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with published(FIRST) as issuer, capture_logs():  # tracebacks of failed fetches are slow to print
        yield issuer


def verifier_of(issuer: Issuer, **seconds: float) -> Verifier:
    return Verifier(PublishedKeys(issuer.url, **seconds), ISSUER, AUDIENCE, leeway_seconds=0)


async def accepts(verifier: Verifier, name: str) -> bool:
    try:
        return await verifier.verify_token(signed(claims(ME), name, ec_key(name))) == ME
    except jwt.PyJWTError:
        return False


async def accepted(verifier: Verifier, names: str = "first second") -> list[str]:
    return [name for name in names.split() if await accepts(verifier, name)]


def test_keys_are_fetched_once_for_any_tokens(issuer: Issuer) -> None:
    verifier = verifier_of(issuer)

    async def ask() -> list[bool]:
        return await asyncio.gather(*[accepts(verifier, ("first", f"strange {n % 5}")[n % 2]) for n in range(100)])

    with asyncio.Runner() as runner:
        assert runner.run(ask()) == runner.run(ask()) == [True, False] * 50
        issuer.publish(SECOND)
        assert runner.run(accepted(verifier)) == ["first"], "too soon after the first attempt"
    assert issuer.asked == 1


@pytest.mark.parametrize("moved", [False, True])
def test_a_failed_fetch_is_not_repeated_at_once(issuer: Issuer, moved: bool) -> None:
    issuer.status, issuer.moved = 200 if moved else 500, moved
    verifier = verifier_of(issuer)
    with asyncio.Runner() as runner:
        for _ in range(5):
            with pytest.raises(KeysUnavailable):
                runner.run(accepted(verifier))
    assert issuer.asked == 1, "a redirect is not followed"


AWAY: list[tuple[int, bytes]] = [
    (500, b""),
    (404, b'{"keys": []}'),
    (200, b"\xff\xfe"),
    (200, b"[]"),
    (200, b'{"keys": []}'),
    (200, b'{"keys": 7}'),
    (200, b'{"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}'),
    (200, b'{"keys": [{"kty": "RSA", "kid": ["a"], "n": 7, "e": null}]}'),
    (200, b"[" * 100_000),
]


def test_keys_stay_in_use_until_others_are_fetched(issuer: Issuer) -> None:
    verifier = verifier_of(issuer, refetch_seconds=0)

    async def ask() -> None:
        assert await accepts(verifier, "first")
        for number, (issuer.status, issuer.answer) in enumerate(AWAY, start=2):
            assert await accepted(verifier) == ["first"], issuer.answer[:30]
            assert issuer.asked == number
        issuer.status = 200
        issuer.publish(FIRST, SECOND)
        assert await accepted(verifier, "second first") == ["second", "first"]
        issuer.publish(SECOND, jwk("third", ec_key("third")))
        assert await accepted(verifier, "third first second") == ["third", "second"]

    asyncio.run(ask())


def test_a_withdrawn_key_is_dropped_without_a_request(issuer: Issuer) -> None:
    verifier = verifier_of(issuer, fresh_seconds=0.02)

    async def withdraw() -> list[str]:
        fresh = asyncio.create_task(verifier.keys.keep_fresh())
        assert await accepts(verifier, "first")
        issuer.publish(SECOND)
        for _ in range(1000):
            if not await accepts(verifier, "first"):
                break
            await asyncio.sleep(0.02)
        fresh.cancel()
        return await accepted(verifier)

    assert asyncio.run(withdraw()) == ["second"]


def test_a_sign_in_that_hangs_delays_no_known_key(issuer: Issuer) -> None:
    verifier = verifier_of(issuer, refetch_seconds=0, fetch_seconds=0.3)

    async def ask_meanwhile() -> int:
        assert await accepts(verifier, "first")
        issuer.seconds = 1.0
        stranger = asyncio.create_task(accepts(verifier, "second"))
        accepted = 0
        while not stranger.done():
            accepted += await accepts(verifier, "first")
            await asyncio.sleep(0.01)
        assert not await stranger
        return accepted

    assert asyncio.run(ask_meanwhile()) > 1


def test_an_rsa_key_without_algorithm_is_for_rs256(issuer: Issuer) -> None:
    issuer.publish({name: value for name, value in jwk("rsa", rsa_key("a")).items() if name not in {"alg", "use"}})
    verifier = verifier_of(issuer)
    assert asyncio.run(verifier.verify_token(signed(claims(ME)))) == ME
    with pytest.raises(jwt.InvalidAlgorithmError):
        asyncio.run(verifier.verify_token(jwt.encode(claims(ME), rsa_key("a"), "RS512", headers={"kid": "rsa"})))


def test_a_token_that_is_too_long_is_not_decoded() -> None:
    token = jwt.encode(claims(ME, padding="x" * MAX_TOKEN_LENGTH), SECRET)
    with pytest.raises(ValueError, match="too long"):
        asyncio.run(make_verifier(Settings(jwt_secret=SECRET)).verify_token(token))
