"""Development tokens: what the app's own sign-in would issue, so that anyone can try the API."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from models.db.settings import Settings

ALGORITHM = "HS256"


def issue_token(settings: Settings, profile_id: UUID, lifetime: timedelta) -> str:
    """A bearer token with which the API takes its holder for the person `profile_id`, until `lifetime` from now.

    Raises InputError where tokens are the app's sign-in's to issue.
    """
    now = datetime.now(UTC)
    claims = {
        "iss": settings.jwt_issuer,
        "aud": settings.jwt_audience,
        "sub": str(profile_id),
        "iat": now,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, settings.get_signing_secret(), algorithm=ALGORITHM)
