"""Response bodies, composed from JSON that PostgreSQL returns, with ETags."""

from hashlib import blake2b
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from serving.queries import CardPage
from serving.queries.cards import CardRows
from serving.queries.cursor import write_cursor

# A browser may cache the response for its user but must revalidate it each time, so that a block takes effect at once.
PRIVATE_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Language"}

ARMS_HEADER = "Matching-Arms"
ARMS: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            ARMS_HEADER: {
                "description": "The viewer's arms in the publication, `experiment=arm` with commas between, for the "
                "app's log. Only where the operator turned it on and an experiment runs; never show it to a user.",
                "schema": {"type": "string"},
                "example": "order=control, swaps=new",
            }
        }
    }
}

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client's copy, named by `If-None-Match`, is still current."}
}


def build_matches_body(page: CardPage, viewer_id: UUID, key: bytes, empty_because: str | None) -> str:
    """Return JSON of `serving.schemas.Matches`."""
    topped_up = "true" if page.shown.topped_up else "false"
    why = "null" if empty_because is None else f'"{empty_because}"'
    return (
        f'{{"publication":{_build_publication(page.shown)},"matches":{page.shown.matches},'
        f'"next_cursor":{_build_cursor(page, viewer_id, key)},"topped_up":{topped_up},"empty_because":{why}}}'
    )


def build_likes_body(page: CardPage, viewer_id: UUID, key: bytes) -> str:
    """Return JSON of `serving.schemas.Likes`."""
    return (
        f'{{"publication":{_build_publication(page.shown)},"likes":{page.shown.matches},'
        f'"next_cursor":{_build_cursor(page, viewer_id, key)}}}'
    )


def build_conversations_body(page: CardPage, viewer_id: UUID, key: bytes) -> str:
    """Return JSON of `serving.schemas.Conversations`."""
    return f'{{"conversations":{page.shown.matches},"next_cursor":{_build_cursor(page, viewer_id, key)}}}'


def build_most_compatible_body(shown: CardRows) -> str:
    """Return JSON of `serving.schemas.MostCompatible`."""
    return f'{{"publication":{_build_publication(shown)},"match":{extract_only_match(shown) or "null"}}}'


def extract_only_match(shown: CardRows) -> str:
    """Return JSON of `serving.schemas.Match` from cards with one match; an empty string if there is none."""
    return shown.matches[1:-1]


def build_similar_body(shown: CardRows) -> str:
    """Return JSON of `serving.schemas.Similar`."""
    return f'{{"matches":{shown.matches}}}'


def make_response(request: Request, body: str, arms: str | None = None) -> Response:
    """Return `body` as JSON, or 304 if the request names its ETag.

    The ETag is a hash of the body, so it changes with every change of the response. It is weak because the body may be
    sent compressed. The viewer's arms, if any, are a header of both, so that a cached copy has those of now.
    """
    content = body.encode()
    etag = f'W/"{blake2b(content, digest_size=16).hexdigest()}"'
    headers = PRIVATE_HEADERS | {"ETag": etag} | ({} if arms is None else {ARMS_HEADER: arms})
    if etag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    # The body is already JSON in the shape of its schema; parsing it for validation would cost more than the query.
    return Response(content, media_type="application/json", headers=headers)


def _build_cursor(page: CardPage, viewer_id: UUID, key: bytes) -> str:
    return "null" if page.next is None else f'"{write_cursor(page.next, viewer_id, key)}"'


def _build_publication(shown: CardRows) -> str:
    return "null" if shown.publication_id is None else shown.publication
