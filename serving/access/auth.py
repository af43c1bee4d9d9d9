"""Authentication: the viewer of a request comes from the app's bearer JWT and from nothing else."""

from typing import Annotated, NamedTuple
from uuid import UUID

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.db.settings import Settings
from serving.access.jwt_keys import KeysUnavailable, TokenKeys, make_keys
from serving.problems.problem_details import raise_not_ready, raise_token_invalid, raise_token_missing

MAX_TOKEN_LENGTH = 8192
"""Characters. A longer token is rejected before it is decoded, so that it costs no work."""

_bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="A token whose `sub` is the profile id of the viewer. In development, `matching token WHO` prints one: "
    "paste it here. In production, the app's sign-in issues it.",
)


class Verifier(NamedTuple):
    """The keys and claims that a valid token must have."""

    keys: TokenKeys
    issuer: str
    audience: str
    leeway_seconds: float

    async def verify_token(self, token: str) -> UUID:
        """Return the profile id in the `sub` claim of a valid token.

        Raises:
            jwt.PyJWTError: The signature or a claim is not valid.
            ValueError: The token is longer than MAX_TOKEN_LENGTH, or `sub` is not a UUID.
            KeysUnavailable: The public keys have not been fetched yet.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise ValueError("the token is too long")
        claims = jwt.decode(
            token,
            await self.keys.find_key(token),
            algorithms=self.keys.algorithms,
            issuer=self.issuer,
            audience=self.audience,
            leeway=self.leeway_seconds,
            options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
        )
        return UUID(claims["sub"])


def make_verifier(settings: Settings) -> Verifier:
    """Build the verifier from the settings.

    Raises:
        InputError: The settings would accept every token or none.
    """
    return Verifier(make_keys(settings), settings.jwt_issuer, settings.jwt_audience, settings.jwt_leeway_seconds)


async def authenticate_viewer(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> UUID:
    """Return the profile id in the request's token, or answer 401 if the token is missing or not valid.

    Answers 503 if the public keys have not been fetched yet.
    """
    if credentials is None:
        raise_token_missing()
    verifier: Verifier = request.state.verifier
    try:
        return await verifier.verify_token(credentials.credentials)
    except (jwt.PyJWTError, ValueError):
        raise_token_invalid()
    except KeysUnavailable:
        raise_not_ready("the sign-in's public keys cannot be fetched yet; try again soon")
