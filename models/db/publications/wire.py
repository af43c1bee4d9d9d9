"""Binary dumpers for uuid[] and real[].

psycopg's own dumpers convert the elements one by one in Python, which dominated the time of storing a publication.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain, repeat
from struct import Struct
from uuid import UUID

from psycopg import postgres
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

UUID_TYPE, REAL_TYPE = postgres.types["uuid"], postgres.types["float4"]
UUID_LENGTH, REAL_LENGTH = b"\0\0\0\x10", 4
EMPTY_HEAD, HEAD = Struct("!3I"), Struct("!5I")


def register_dumpers(context: AdaptContext) -> None:
    """Let a COPY in this context, once its types are set, accept text as uuid[] and any numbers as real[]."""
    for dumper in (UuidArrayDumper, RealArrayDumper):
        context.adapters.register_dumper(None, dumper)


class UuidArrayDumper(Dumper):
    """A one-dimensional uuid[], from text.

    A publication names each user many times, so parsed UUIDs are cached.
    """

    format = Format.BINARY
    oid = UUID_TYPE.array_oid

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._element = cache(lambda text: UUID_LENGTH + UUID(text).bytes)

    def dump(self, obj: Sequence[str]) -> bytes:
        """Return the array in PostgreSQL's binary format.

        Raises:
            ValueError: A text is not a UUID.
            TypeError: An element is not text.
            AttributeError: An element is not text.
        """
        return _pack_head(UUID_TYPE.oid, len(obj)) + b"".join(map(self._element, obj))


class RealArrayDumper(Dumper):
    """A one-dimensional real[], from numbers."""

    format = Format.BINARY
    oid = REAL_TYPE.array_oid

    def dump(self, obj: Sequence[float]) -> bytes:
        """Return the array in PostgreSQL's binary format.

        Raises:
            struct.error: An element is not a number.
            OverflowError: An element is out of the range of single precision.
        """
        elements = chain.from_iterable(zip(repeat(REAL_LENGTH), obj))
        return _pack_head(REAL_TYPE.oid, len(obj)) + _make_element_struct(len(obj)).pack(*elements)


@cache
def _make_element_struct(count: int) -> Struct:
    return Struct("!" + count * "If")


def _pack_head(element_oid: int, count: int) -> bytes:
    """Return the array header: dimensions, null flag and element type; then length and first index."""
    return HEAD.pack(1, 0, element_oid, count, 1) if count else EMPTY_HEAD.pack(0, 0, element_oid)
