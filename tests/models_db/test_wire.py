"""Arrays made whole are, to the byte, what psycopg makes of them element by element."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import psycopg
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.array import ListBinaryDumper

from models.db.publications.wire import RealArrayDumper, UuidArrayDumper


def by_psycopg(elements: Sequence[UUID] | Sequence[float], element_type: str) -> bytes:
    element_oid = psycopg.postgres.types[element_type].oid
    typed = type("Typed", (ListBinaryDumper,), {"element_oid": element_oid})
    return bytes(typed(list, psycopg.adapt.Transformer()).dump(list(elements)))


@given(st.lists(st.uuids()), st.lists(st.floats(width=32)))
def test_arrays_are_those_of_psycopg(ids: list[UUID], numbers: list[float]) -> None:
    assert UuidArrayDumper(list).dump([str(each) for each in ids]) == by_psycopg(ids, "uuid")
    expected = by_psycopg(numbers, "float4")
    assert RealArrayDumper(list).dump(numbers) == expected
    assert RealArrayDumper(list).dump(np.array(numbers, np.float32)) == expected  # type: ignore[arg-type]
