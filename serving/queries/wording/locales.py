"""The choice of a locale from the header `Accept-Language` (RFC 9110)."""

import re
from collections.abc import Container

DEFAULT_LOCALE = "en"

_RANGE = re.compile(r"\s*([a-zA-Z0-9-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


def choose_locale(accepted: str | None, available: Container[str]) -> str:
    """Choose the available locale that a client prefers; `de` serves `de-AT`.

    Args:
        accepted: The header, such as "de-AT, de;q=0.9, en;q=0.8"; None if there is none. Malformed parts are ignored.
        available: Lowercase language tags.

    Returns:
        A tag of `available`, or the default locale.
    """
    for tag in _sort_by_preference(accepted or ""):
        while tag:
            if tag in available:
                return tag
            tag = tag.rpartition("-")[0]  # noqa: PLW2901 -- the less specific tag is tried next (RFC 4647, lookup)
    return DEFAULT_LOCALE


def _sort_by_preference(accepted: str) -> list[str]:
    found = [match for part in accepted.split(",") if (match := _RANGE.fullmatch(part))]
    weights = [(float(match[2] or 1), match[1].lower()) for match in found]
    return [tag for weight, tag in sorted(weights, key=lambda each: -each[0]) if weight > 0]
