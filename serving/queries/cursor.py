"""The opaque cursor between two pages: the publication and the candidates already shown, signed for one viewer.

It identifies candidates by hash, not by position: when a user is erased, all later positions move up.
"""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

SIGNATURE_BYTES = 16


class Cursor(NamedTuple):
    """How far a viewer has paged through a list."""

    publication_id: int | None
    """The publication of the first page; None if there was none."""
    shown: Sequence[int]
    """64-bit hashes, as `uuid_hash_extended(id, 0)` returns them, of all candidates, or
    conversations, on the previous pages."""


class InvalidCursor(ValueError):
    """The cursor was not issued by this API, or not for this viewer."""


def derive_cursor_key(secret: str, pages: str = "page cursors") -> bytes:
    """Return the 32-byte key that signs the cursors of these pages.

    It differs from `secret`, which may sign tokens as well, and from the key of other pages.
    """
    return hmac.digest(secret.encode(), pages.encode(), sha256)


def write_cursor(cursor: Cursor, viewer_id: UUID, key: bytes) -> str:
    """Return the cursor as URL-safe text signed with `key`.

    The same page always gets the same text, so that the ETag of the response is stable.
    """
    payload = struct.pack(f"<{1 + len(cursor.shown)}q", cursor.publication_id or 0, *cursor.shown)
    return _encode_text(_sign(payload, viewer_id, key) + payload)


def read_cursor(text: str, viewer_id: UUID, key: bytes) -> Cursor:
    """Parse and verify the text that `write_cursor` returned.

    Raises:
        InvalidCursor: The text was not written with `key`, or for another viewer.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InvalidCursor from error
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    # The decoder skips unknown characters, so several texts decode to the same bytes. Only the original is accepted.
    if _encode_text(raw) != text or not hmac.compare_digest(signature, _sign(payload, viewer_id, key)):
        raise InvalidCursor
    publication_id, *shown = struct.unpack(f"<{len(payload) // 8}q", payload)
    return Cursor(publication_id or None, shown)


def _encode_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _sign(payload: bytes, viewer_id: UUID, key: bytes) -> bytes:
    return hmac.digest(key, viewer_id.bytes + payload, sha256)[:SIGNATURE_BYTES]
