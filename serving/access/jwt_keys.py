"""The keys that vouch for tokens: one shared secret, or the public keys of the app's sign-in. Never both.

Which of the two it is decides the algorithms. What a token says of itself decides only which public key is tried.
"""

import asyncio
import time
from math import inf
from urllib.parse import urlsplit

import jwt
import structlog

from models.db.errors import InputError
from models.db.settings import Settings
from models.db.tokens import ALGORITHM

FRESH_SECONDS = 300.0
"""Public keys are fetched again this often, so that one the sign-in withdrew is soon believed no more."""

REFETCH_SECONDS = 10.0
"""A token with an unknown key has them fetched sooner, but this long after the last try at the earliest."""

FETCH_SECONDS = 3.0
"""How long a fetch may take."""

log = structlog.get_logger("serving")


class KeysUnavailable(Exception):
    """The public keys have never been fetched yet, so that no token can be told good or bad."""


class SharedSecret:
    """One HS256 secret, known to the sign-in and to the API: for development."""

    algorithms = (ALGORITHM,)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def find_key(self, _: str) -> str:
        """The key to check a token with."""
        return self._secret

    async def keep_fresh(self) -> None:
        """Return at once: a secret is what it was."""


class PublishedKeys:
    """The public keys of the app's sign-in, fetched from its JWKS URL (RFC 7517) beside the event loop and kept.

    Where the URL does not answer, the keys fetched last are used on.
    """

    algorithms = ("RS256", "ES256")

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=FETCH_SECONDS)  # follows no redirect
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = -inf
        self._one_at_a_time = asyncio.Lock()

    async def find_key(self, token: str) -> jwt.PyJWK:
        """The key that `token` names. Raises jwt.PyJWTError if there is none, KeysUnavailable if there are none yet."""
        name = jwt.get_unverified_header(token).get("kid")
        if name not in self._keys:
            await self._fetch(not_within=REFETCH_SECONDS)
        if not self._keys:
            raise KeysUnavailable
        if name not in self._keys:
            raise jwt.InvalidKeyError("the token names no key of the sign-in")
        return self._keys[name]

    async def keep_fresh(self) -> None:
        """Fetch the keys now and every FRESH_SECONDS, until cancelled."""
        while True:
            await self._fetch(not_within=0)
            await asyncio.sleep(FRESH_SECONDS)

    async def _fetch(self, not_within: float) -> None:
        async with self._one_at_a_time:
            if time.monotonic() - self._tried_at < not_within:
                return
            self._tried_at = time.monotonic()
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    published = await asyncio.to_thread(self._client.get_signing_keys)
                self._keys = self._select_usable(published)
            except Exception:  # whatever was answered, the keys at hand are still good
                log.exception("the sign-in's public keys could not be fetched")

    def _select_usable(self, published: list[jwt.PyJWK]) -> dict[str, jwt.PyJWK]:
        keys = {str(key.key_id): key for key in published if key.algorithm_name in self.algorithms}
        if not keys:
            raise jwt.PyJWKSetError("no RS256 or ES256 key")
        return keys


TokenKeys = SharedSecret | PublishedKeys


def make_keys(settings: Settings) -> TokenKeys:
    """The keys of these settings. Raises InputError where they would let anybody in or nobody."""
    if settings.jwks_url is None:
        return SharedSecret(settings.get_signing_secret())
    if settings.jwt_secret is not None:
        raise InputError("MATCHING_JWKS_URL and MATCHING_JWT_SECRET are both set; unset the one that does not count")
    if settings.environment == "production" and urlsplit(settings.jwks_url).scheme != "https":
        raise InputError("MATCHING_JWKS_URL must be https in production: who answers for it can sign for anybody")
    return PublishedKeys(settings.jwks_url)
