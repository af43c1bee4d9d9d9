"""Who "me" is: the bearer JWT of the app's sign-in, and nothing else in a request."""

from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.db.tokens import ALGORITHM, AUDIENCE, ISSUER
from serving.problems import refuse_token

LEEWAY_SECONDS = 30

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token whose `sub` is the profile id of the viewer."
)


async def viewer_id(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> UUID:
    """The profile id in the request's token. Answers 401 if there is none or it is not good."""
    if credentials is None:
        refuse_token("a bearer token is needed", challenge="Bearer")
    try:
        return verified_profile_id(credentials.credentials, request.state.secret)
    except (jwt.PyJWTError, ValueError):
        refuse_token("the token is not valid or no longer valid; sign in again")


def verified_profile_id(token: str, secret: str) -> UUID:
    """The profile id that a token vouches for. Raises jwt.PyJWTError or ValueError if it vouches for none."""
    claims = jwt.decode(
        token,
        secret,
        algorithms=[ALGORITHM],  # fixed here: what the token says of itself decides nothing
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    return UUID(claims["sub"])
