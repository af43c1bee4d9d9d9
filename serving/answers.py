"""Bodies put together from the JSON that PostgreSQL made, and sent only if the client does not have them yet."""

from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from serving.cursor import write_cursor
from serving.queries import Page
from serving.queries.cards import Shown

# A browser may keep the answer for its own user, and asks each time whether it still holds: a block counts at once.
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "What the client has, by its `If-None-Match`, is still the answer."}
}


def matches_body(page: Page, viewer_id: UUID, key: bytes) -> str:
    """JSON, as `serving.schemas.Matches`."""
    cursor = "null" if page.next is None else f'"{write_cursor(page.next, viewer_id, key)}"'
    topped_up = "true" if page.shown.topped_up else "false"
    return (
        f'{{"publication":{_publication(page.shown)},"matches":{page.shown.matches},'
        f'"next_cursor":{cursor},"topped_up":{topped_up}}}'
    )


def most_compatible_body(shown: Shown) -> str:
    """JSON, as `serving.schemas.MostCompatible`."""
    return f'{{"publication":{_publication(shown)},"match":{only_match(shown) or "null"}}}'


def only_match(shown: Shown) -> str:
    """JSON, as `serving.schemas.Match`, of an answer with one match; empty of one with none."""
    return shown.matches[1:-1]


def similar_body(shown: Shown) -> str:
    """JSON, as `serving.schemas.Similar`."""
    return f'{{"matches":{shown.matches}}}'


def answer(request: Request, body: str) -> Response:
    """`body` as JSON, or 304 if the request names its ETag.

    The ETag is a hash of the body, so whatever changes the answer changes it; weak, for it may be sent compressed.
    """
    content = body.encode()
    etag = f'W/"{blake2b(content, digest_size=16).hexdigest()}"'
    headers = PRIVATE | {"ETag": etag}
    if etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    # Already JSON in the shape of its schema: to read and write it again would take longer than to find it.
    return Response(content, media_type="application/json", headers=headers)


def _publication(shown: Shown) -> str:
    return "null" if shown.publication_id is None else shown.publication
