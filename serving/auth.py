"""Who "me" is: the bearer JWT of the app's sign-in, and nothing else in a request."""

from typing import Annotated, NamedTuple
from uuid import UUID

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.db.settings import Settings
from serving.keys import Keys, KeysUnavailable, keys_of
from serving.problems import not_ready, token_invalid, token_missing

LONGEST_TOKEN = 8192
"""Characters. A longer one is refused unread: reading is work that nobody has to pay for."""

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token whose `sub` is the profile id of the viewer."
)


class Verifier(NamedTuple):
    """What a good token looks like here."""

    keys: Keys
    issuer: str
    audience: str
    leeway_seconds: float

    async def profile_id(self, token: str) -> UUID:
        """The profile id that a token vouches for.

        Raises jwt.PyJWTError or ValueError if it vouches for none, KeysUnavailable if that cannot be told yet.
        """
        if len(token) > LONGEST_TOKEN:
            raise ValueError("the token is too long")
        claims = jwt.decode(
            token,
            await self.keys.key_of(token),
            algorithms=self.keys.algorithms,
            issuer=self.issuer,
            audience=self.audience,
            leeway=self.leeway_seconds,
            options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
        )
        return UUID(claims["sub"])


def verifier_of(settings: Settings) -> Verifier:
    """The verifier of these settings. Raises InputError where they would let anybody in or nobody."""
    return Verifier(keys_of(settings), settings.jwt_issuer, settings.jwt_audience, settings.jwt_leeway_seconds)


async def viewer_id(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> UUID:
    """The profile id in the request's token. Answers 401 if there is none or it is not good."""
    if credentials is None:
        token_missing()
    verifier: Verifier = request.state.verifier
    try:
        return await verifier.profile_id(credentials.credentials)
    except (jwt.PyJWTError, ValueError):
        token_invalid()
    except KeysUnavailable:
        not_ready("the sign-in's public keys cannot be fetched yet; try again soon")
