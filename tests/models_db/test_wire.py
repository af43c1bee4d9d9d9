"""Arrays made whole are, to the byte, what psycopg makes of them element by element."""

import struct
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.types.array import ListBinaryDumper

from models.db.publications.wire import RealArrayDumper, UuidArrayDumper

UUIDS, REALS = st.lists(st.uuids()), st.lists(st.floats(width=32))


def by_psycopg(elements: Sequence[UUID] | Sequence[float], element_type: str) -> bytes:
    element_oid = psycopg.postgres.types[element_type].oid
    typed = type("Typed", (ListBinaryDumper,), {"element_oid": element_oid})
    return bytes(typed(list, psycopg.adapt.Transformer()).dump(list(elements)))


@given(UUIDS)
def test_ids(ids: list[UUID]) -> None:
    assert UuidArrayDumper(list).dump([str(each) for each in ids]) == by_psycopg(ids, "uuid")


@given(REALS)
def test_numbers(numbers: list[float]) -> None:
    expected = by_psycopg(numbers, "float4")
    assert RealArrayDumper(list).dump(numbers) == expected
    assert RealArrayDumper(list).dump(np.array(numbers, np.float32)) == expected  # type: ignore[arg-type]


def test_the_types_are_those_of_postgresql() -> None:
    found = psycopg.adapters.types
    assert (UuidArrayDumper.oid, RealArrayDumper.oid) == (found.get_oid("uuid[]"), found.get_oid("float4[]"))
    assert {UuidArrayDumper.format, RealArrayDumper.format} == {Format.BINARY}


@pytest.mark.parametrize(
    ("dumper", "sequence", "error"),
    [
        (UuidArrayDumper, ["town:2"], ValueError),
        (UuidArrayDumper, [None], TypeError),
        (UuidArrayDumper, [5], AttributeError),
        (RealArrayDumper, ["much"], struct.error),
        (RealArrayDumper, [None], struct.error),
        (RealArrayDumper, [1e300], OverflowError),
    ],
)
def test_what_does_not_belong_in_an_array_is_refused(
    dumper: type[Dumper], sequence: list[object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        dumper(list).dump(sequence)
