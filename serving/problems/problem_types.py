"""The types of problems. Clients distinguish problems by their `type`; each type has one status."""

from enum import StrEnum
from http import HTTPStatus

PREFIX = "urn:delete:problem:"


class ProblemType(StrEnum):
    """The type of a problem, independent of its wording; `about:blank` adds nothing to the status."""

    CURSOR_INVALID = f"{PREFIX}cursor-invalid"
    TOKEN_MISSING = f"{PREFIX}token-missing"
    TOKEN_INVALID = f"{PREFIX}token-invalid"
    NO_PROFILE = f"{PREFIX}no-profile"
    LIKES_SECRET = f"{PREFIX}likes-secret"
    NOT_AMONG_MATCHES = f"{PREFIX}not-among-matches"
    NO_PUBLICATION = f"{PREFIX}no-publication"
    CURSOR_GONE = f"{PREFIX}cursor-gone"
    PARAMETER_INVALID = f"{PREFIX}parameter-invalid"
    TOO_MANY_REQUESTS = f"{PREFIX}too-many-requests"
    UNAVAILABLE = f"{PREFIX}unavailable"
    BLANK = "about:blank"


STATUSES = {
    ProblemType.CURSOR_INVALID: HTTPStatus.BAD_REQUEST,
    ProblemType.TOKEN_MISSING: HTTPStatus.UNAUTHORIZED,
    ProblemType.TOKEN_INVALID: HTTPStatus.UNAUTHORIZED,
    # Not 401, which asks for another token: a new token does not help a user without a profile.
    ProblemType.NO_PROFILE: HTTPStatus.FORBIDDEN,
    # Not 404: the endpoint exists, and nobody may read it under this setting.
    ProblemType.LIKES_SECRET: HTTPStatus.FORBIDDEN,
    ProblemType.NOT_AMONG_MATCHES: HTTPStatus.NOT_FOUND,
    ProblemType.NO_PUBLICATION: HTTPStatus.NOT_FOUND,
    ProblemType.CURSOR_GONE: HTTPStatus.GONE,
    ProblemType.PARAMETER_INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ProblemType.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    ProblemType.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each of the API's own types; `about:blank` occurs with any status."""
