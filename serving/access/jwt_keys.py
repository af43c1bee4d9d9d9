"""The keys that verify tokens: one shared secret, or the public keys of the app's sign-in, never both.

The kind of key decides which algorithms are allowed. The header of a token only selects which public key is tried.
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
"""Interval between fetches of the public keys, so that a key that the sign-in withdraws soon stops working."""

REFETCH_SECONDS = 10.0
"""A token with an unknown key triggers an earlier fetch, at least this long after the previous attempt."""

FETCH_SECONDS = 3.0
"""Timeout of one fetch."""

log = structlog.get_logger("serving")


class KeysUnavailable(Exception):
    """The public keys have never been fetched, so no token can be verified."""


class SharedSecret:
    """One HS256 secret, known to the sign-in and to the API. For development."""

    algorithms = (ALGORITHM,)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def find_key(self, _: str) -> str:
        """Return the secret."""
        return self._secret

    async def keep_fresh(self) -> None:
        """Return at once: the secret does not change."""


class PublishedKeys:
    """The public keys of the app's sign-in, fetched from its JWKS URL (RFC 7517) in a worker thread and cached.

    If a fetch fails, the keys of the last successful fetch stay in use.
    """

    algorithms = ("RS256", "ES256")

    def __init__(
        self,
        url: str,
        fresh_seconds: float = FRESH_SECONDS,
        refetch_seconds: float = REFETCH_SECONDS,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._refetch_seconds = refetch_seconds
        self._fetch_seconds = fetch_seconds
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=fetch_seconds)  # follows no redirect
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = -inf
        self._one_at_a_time = asyncio.Lock()

    async def find_key(self, token: str) -> jwt.PyJWK:
        """Return the key that the `kid` header of `token` names.

        Raises:
            jwt.PyJWTError: The token is malformed, or the sign-in has no such key.
            KeysUnavailable: No keys have been fetched yet.
        """
        name = jwt.get_unverified_header(token).get("kid")
        if name not in self._keys:
            await self._fetch(not_within=self._refetch_seconds)
        if not self._keys:
            raise KeysUnavailable
        if name not in self._keys:
            raise jwt.InvalidKeyError("the token names no key of the sign-in")
        return self._keys[name]

    async def keep_fresh(self) -> None:
        """Fetch the keys now and then every `fresh_seconds`, until cancelled."""
        while True:
            await self._fetch(not_within=0)
            await asyncio.sleep(self._fresh_seconds)

    async def _fetch(self, not_within: float) -> None:
        async with self._one_at_a_time:
            if time.monotonic() - self._tried_at < not_within:
                return
            self._tried_at = time.monotonic()
            try:
                async with asyncio.timeout(self._fetch_seconds):
                    published = await asyncio.to_thread(self._client.get_signing_keys)
                self._keys = self._select_usable(published)
            except Exception:  # whatever went wrong, the cached keys are still valid
                log.exception("the sign-in's public keys could not be fetched")

    def _select_usable(self, published: list[jwt.PyJWK]) -> dict[str, jwt.PyJWK]:
        keys = {str(key.key_id): key for key in published if key.algorithm_name in self.algorithms}
        if not keys:
            raise jwt.PyJWKSetError("no RS256 or ES256 key")
        return keys


TokenKeys = SharedSecret | PublishedKeys


def make_keys(settings: Settings) -> TokenKeys:
    """Build the keys from the settings.

    Raises:
        InputError: The settings would accept every token or none.
    """
    if settings.jwks_url is None:
        return SharedSecret(settings.get_signing_secret())
    if settings.jwt_secret is not None:
        raise InputError("MATCHING_JWKS_URL and MATCHING_JWT_SECRET are both set; unset the one that you do not use")
    if settings.environment == "production" and urlsplit(settings.jwks_url).scheme != "https":
        raise InputError("MATCHING_JWKS_URL must be https in production: over http, others could supply their own keys")
    return PublishedKeys(settings.jwks_url)
