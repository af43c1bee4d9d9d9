"""Embedded answers: what is written is read, and a profile is the mean direction of its answers."""

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.ml.profiles.answer_embeddings import (
    NO_ANSWERS,
    AnswerEmbeddings,
    concatenate,
    convert_from_table,
    convert_to_table,
    pool_by_profile,
)
from models.ml.profiles.encoder import DIMENSIONS
from tests.models_ml.conftest import answers, direction

SOME = answers(
    ("b", "about", direction(1)),
    ("a", "about", direction(0, 1)),
    ("b", "work", direction(0, 1)),
    ("b", "home", direction(0, 1)),
)


def assert_same(read: AnswerEmbeddings, written: AnswerEmbeddings) -> None:
    pd.testing.assert_frame_equal(read.keys, written.keys)
    np.testing.assert_array_equal(read.vectors, written.vectors, strict=True)


@given(arrays.arrays(np.float16, st.tuples(st.integers(0, 5), st.just(DIMENSIONS))))
def test_a_table_gives_back_what_it_was_made_of(vectors: np.ndarray) -> None:
    keys = pd.DataFrame({name: [f"{name}{row}" for row in range(len(vectors))] for name in NO_ANSWERS.keys})
    written = AnswerEmbeddings(keys.astype(NO_ANSWERS.keys.dtypes.to_dict()), vectors)
    assert convert_to_table(written).column_names == ["profile_id", "prompt", "text_hash", "embedding"]
    assert_same(convert_from_table(convert_to_table(written)), written)


def test_a_part_of_a_table_gives_back_that_part() -> None:
    together = pa.concat_tables([convert_to_table(SOME), convert_to_table(NO_ANSWERS), convert_to_table(SOME)])
    read = convert_from_table(together.slice(1, 4))
    assert read.keys["profile_id"].tolist() == ["a", "b", "b", "b"]
    np.testing.assert_array_equal(read.vectors, SOME.vectors[[1, 2, 3, 0]])


def test_parts_together_are_all_rows_in_order() -> None:
    assert_same(concatenate([]), NO_ANSWERS)
    both = concatenate([SOME, NO_ANSWERS, answers(("c", "about", direction(1)))])
    assert both.keys["profile_id"].tolist() == ["b", "a", "b", "b", "c"]
    assert both.keys.index.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(both.vectors, [*SOME.vectors, direction(1)])


def test_a_profile_is_the_mean_direction_of_its_answers() -> None:
    """Of b: (1, 0), (0, 1) and (0, 1) add up to (1, 2)."""
    ids, vectors = pool_by_profile(SOME)
    assert ids.tolist() == ["a", "b"]
    np.testing.assert_allclose(vectors[0, :2], [0, 1], atol=1e-6)
    np.testing.assert_allclose(vectors[1, :2], [1 / 5**0.5, 2 / 5**0.5], atol=1e-6)
    assert not vectors[:, 2:].any()
    assert vectors.dtype == np.float32


def test_answers_that_cancel_out_leave_no_direction() -> None:
    ids, vectors = pool_by_profile(answers(("a", "about", direction(1)), ("a", "work", direction(-1))))
    assert ids.tolist() == ["a"]
    assert not vectors.any()


def test_nobody_answered() -> None:
    ids, vectors = pool_by_profile(NO_ANSWERS)
    assert ids.tolist() == []
    assert vectors.shape == (0, DIMENSIONS)
