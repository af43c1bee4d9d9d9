"""Development tokens in place of those of the app's sign-in, for trying out the API."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from models.db.settings import Settings

ALGORITHM = "HS256"


def issue_token(settings: Settings, profile_id: UUID, lifetime: timedelta) -> str:
    """Return a bearer token for the profile `profile_id` that expires after `lifetime`.

    Raises:
        InputError: The app's sign-in issues the tokens.
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
