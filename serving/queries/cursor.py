"""The opaque cursor between two pages: which publication, and who was shown of it, signed for one viewer.

It names people by hash, not by place: whoever is erased leaves the lists, and all places behind them move up.
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
    """Where a viewer is in their list."""

    publication_id: int | None
    """The publication that the first page was of; None if there was none."""
    shown: Sequence[int]
    """64-bit hashes, as `uuid_hash_extended(id, 0)` makes them, of everybody on the pages before."""


class InvalidCursor(ValueError):
    """A cursor that was not made here, or not for this viewer."""


def derive_cursor_key(secret: str) -> bytes:
    """The key of the cursors' signatures, 32 bytes: one of their own, though `secret` may sign tokens as well."""
    return hmac.digest(secret.encode(), b"page cursors", sha256)


def write_cursor(cursor: Cursor, viewer_id: UUID, key: bytes) -> str:
    """The cursor as URL-safe text, signed with `key`; the same for the same page, so that an answer's ETag stays."""
    payload = struct.pack(f"<{1 + len(cursor.shown)}q", cursor.publication_id or 0, *cursor.shown)
    return _encode_text(_sign(payload, viewer_id, key) + payload)


def read_cursor(text: str, viewer_id: UUID, key: bytes) -> Cursor:
    """What `write_cursor` wrote. Raises BadCursor for anything else, and for another viewer's."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InvalidCursor from error
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    # Base64 passes over what it does not know: only the very text that was written is good.
    if _encode_text(raw) != text or not hmac.compare_digest(signature, _sign(payload, viewer_id, key)):
        raise InvalidCursor
    publication_id, *shown = struct.unpack(f"<{len(payload) // 8}q", payload)
    return Cursor(publication_id or None, shown)


def _encode_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _sign(payload: bytes, viewer_id: UUID, key: bytes) -> bytes:
    return hmac.digest(key, viewer_id.bytes + payload, sha256)[:SIGNATURE_BYTES]
