"""Bodies put together from the JSON that PostgreSQL made, and sent only if the client does not have them yet."""

from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from serving.queries import MatchPage
from serving.queries.cards import CardRows
from serving.queries.cursor import write_cursor

# A browser may keep the answer for its own user, and asks each time whether it still holds: a block counts at once.
PRIVATE_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "What the client has, by its `If-None-Match`, is still the answer."}
}


def build_matches_body(page: MatchPage, viewer_id: UUID, key: bytes) -> str:
    """JSON, as `serving.schemas.Matches`."""
    cursor = "null" if page.next is None else f'"{write_cursor(page.next, viewer_id, key)}"'
    topped_up = "true" if page.shown.topped_up else "false"
    return (
        f'{{"publication":{_build_publication(page.shown)},"matches":{page.shown.matches},'
        f'"next_cursor":{cursor},"topped_up":{topped_up}}}'
    )


def build_most_compatible_body(shown: CardRows) -> str:
    """JSON, as `serving.schemas.MostCompatible`."""
    return f'{{"publication":{_build_publication(shown)},"match":{extract_only_match(shown) or "null"}}}'


def extract_only_match(shown: CardRows) -> str:
    """JSON, as `serving.schemas.Match`, of an answer with one match; empty of one with none."""
    return shown.matches[1:-1]


def build_similar_body(shown: CardRows) -> str:
    """JSON, as `serving.schemas.Similar`."""
    return f'{{"matches":{shown.matches}}}'


def make_response(request: Request, body: str) -> Response:
    """`body` as JSON, or 304 if the request names its ETag.

    The ETag is a hash of the body, so whatever changes the answer changes it; weak, for it may be sent compressed.
    """
    content = body.encode()
    etag = f'W/"{blake2b(content, digest_size=16).hexdigest()}"'
    headers = PRIVATE_HEADERS | {"ETag": etag}
    if etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    # Already JSON in the shape of its schema: to read and write it again would take longer than to find it.
    return Response(content, media_type="application/json", headers=headers)


def _build_publication(shown: CardRows) -> str:
    return "null" if shown.publication_id is None else shown.publication
