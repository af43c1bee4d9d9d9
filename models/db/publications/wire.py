"""Arrays in PostgreSQL's binary form, made whole: psycopg's own dumpers go through the elements one by one in Python,
which took longer than the server takes to store a publication.
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
    """Make a COPY in this context, once its types are set, take uuid[] as text and real[] as any numbers."""
    for dumper in (UuidArrayDumper, RealArrayDumper):
        context.adapters.register_dumper(None, dumper)


class UuidArrayDumper(Dumper):
    """A uuid[] of one dimension, from text. A publication names everybody some fifty times, so each is read once."""

    format = Format.BINARY
    oid = UUID_TYPE.array_oid

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._element = cache(lambda text: UUID_LENGTH + UUID(text).bytes)

    def dump(self, obj: Sequence[str]) -> bytes:
        """Raises ValueError for text that is no uuid, TypeError or AttributeError for what is no text."""
        return _pack_head(UUID_TYPE.oid, len(obj)) + b"".join(map(self._element, obj))


class RealArrayDumper(Dumper):
    """A real[] of one dimension, from numbers."""

    format = Format.BINARY
    oid = REAL_TYPE.array_oid

    def dump(self, obj: Sequence[float]) -> bytes:
        """Raises struct.error for what is no number, OverflowError for what single precision does not hold."""
        elements = chain.from_iterable(zip(repeat(REAL_LENGTH), obj))
        return _pack_head(REAL_TYPE.oid, len(obj)) + _make_element_struct(len(obj)).pack(*elements)


@cache
def _make_element_struct(count: int) -> Struct:
    return Struct("!" + count * "If")


def _pack_head(element_oid: int, count: int) -> bytes:
    """Dimensions, whether there are nulls and the elements' type; then the length and the first index."""
    return HEAD.pack(1, 0, element_oid, count, 1) if count else EMPTY_HEAD.pack(0, 0, element_oid)
