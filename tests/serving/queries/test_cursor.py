"""The cursor as text: what was written is read, and nothing else is."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.queries.cursor import Cursor, InvalidCursor, derive_cursor_key, read_cursor, write_cursor

KEY = derive_cursor_key("one secret")
ME = UUID(int=1)
hashes = st.integers(-(2**63), 2**63 - 1)
cursors = st.builds(Cursor, st.none() | st.integers(1, 2**63 - 1), st.lists(hashes, max_size=60))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@settings(deadline=None)
@given(cursors, st.uuids(), st.data())
def test_it_is_read_as_written_for_one_viewer_and_key(cursor: Cursor, viewer: UUID, data: st.DataObject) -> None:
    text = write_cursor(cursor, viewer, KEY)
    assert text == write_cursor(cursor, viewer, KEY)
    assert set(text) <= set(ALPHABET)
    assert read_cursor(text, viewer, KEY) == cursor
    index = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([character for character in ALPHABET + "=+/ é" if character != text[index]]))
    before, after = text[:index], text[index + 1 :]
    refused = [(changed, viewer, KEY) for changed in (before + other + after, before + after, text + other)]
    refused += [(text, UUID(int=viewer.int ^ 1), KEY), (text, viewer, derive_cursor_key("another secret"))]
    for each in refused:
        with pytest.raises(InvalidCursor):
            read_cursor(*each)


@settings(deadline=None)
@given(st.text())
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        read_cursor(text, ME, KEY)


def test_the_longest_one_fits_its_parameter() -> None:
    """A list of 180 users, paged through one by one; the market policy makes lists of 50."""
    assert len(write_cursor(Cursor(2**63 - 1, [2**63 - 1] * 180), ME, KEY)) <= 2000
