"""Who "me" is: the bearer JWT of the app's sign-in, and nothing else in a request."""

from typing import Annotated, NamedTuple
from uuid import UUID

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.db.settings import Settings
from serving.access.jwt_keys import KeysUnavailable, TokenKeys, make_keys
from serving.problems.problem_details import raise_not_ready, raise_token_invalid, raise_token_missing

MAX_TOKEN_LENGTH = 8192
"""Characters. A longer one is refused unread: reading is work that nobody has to pay for."""

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token whose `sub` is the profile id of the viewer."
)


class Verifier(NamedTuple):
    """What a good token looks like here."""

    keys: TokenKeys
    issuer: str
    audience: str
    leeway_seconds: float

    async def verify_token(self, token: str) -> UUID:
        """The profile id that a token vouches for.

        Raises jwt.PyJWTError or ValueError if it vouches for none, KeysUnavailable if that cannot be told yet.
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
    """The verifier of these settings. Raises InputError where they would let anybody in or nobody."""
    return Verifier(make_keys(settings), settings.jwt_issuer, settings.jwt_audience, settings.jwt_leeway_seconds)


async def authenticate_viewer(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> UUID:
    """The profile id in the request's token. Answers 401 if there is none or it is not good."""
    if credentials is None:
        raise_token_missing()
    verifier: Verifier = request.state.verifier
    try:
        return await verifier.verify_token(credentials.credentials)
    except (jwt.PyJWTError, ValueError):
        raise_token_invalid()
    except KeysUnavailable:
        raise_not_ready("the sign-in's public keys cannot be fetched yet; try again soon")
