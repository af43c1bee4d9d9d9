"""Development tokens: what the app's own sign-in would issue, so that anyone can try the API."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt

from models.db.settings import Settings

ALGORITHM = "HS256"
ISSUER = "delete"
AUDIENCE = "delete-matching"


def issue_token(settings: Settings, profile_id: UUID, lifetime: timedelta) -> str:
    """A bearer token with which the API takes its holder for the person `profile_id`, until `lifetime` from now."""
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": str(profile_id), "iat": now, "exp": now + lifetime}
    return jwt.encode(claims, settings.signing_secret(), algorithm=ALGORITHM)
