from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from models.ml.profiles.answer_embeddings import (
    NO_ANSWERS,
    AnswerEmbeddings,
    concatenate,
    convert_from_table,
    convert_to_table,
    make_no_answers,
    pool_by_profile,
)
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


def test_tables_give_back_what_they_were_made_of() -> None:
    numbers = np.array([np.nan, np.inf, -0.0, 6e-8], np.float16)
    odd = replace(SOME, vectors=np.resize(numbers, SOME.vectors.shape))
    for written in (SOME, NO_ANSWERS, odd):
        assert convert_to_table(written).column_names == ["profile_id", "prompt", "text_hash", "embedding"]
        assert_same(convert_from_table(convert_to_table(written)), written)
    together = pa.concat_tables([convert_to_table(SOME), convert_to_table(NO_ANSWERS), convert_to_table(SOME)])
    part = convert_from_table(together.slice(1, 4))
    assert part.keys["profile_id"].tolist() == ["a", "b", "b", "b"]
    np.testing.assert_array_equal(part.vectors, SOME.vectors[[1, 2, 3, 0]])


def test_parts_together_are_all_rows_in_order() -> None:
    assert_same(concatenate([]), NO_ANSWERS)
    both = concatenate([SOME, NO_ANSWERS, answers(("c", "about", direction(1)))])
    assert both.keys["profile_id"].tolist() == ["b", "a", "b", "b", "c"]
    assert both.keys.index.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(both.vectors, [*SOME.vectors, direction(1)])


def test_a_profile_is_the_mean_direction_of_its_answers() -> None:
    """Of b: (1, 0), (0, 1) and (0, 1) add up to (1, 2). Answers of c cancel out."""
    contrary = answers(("c", "about", direction(1)), ("c", "work", direction(-1)))
    ids, vectors = pool_by_profile(concatenate([SOME, contrary]))
    assert ids.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(vectors[:, :2], np.array([[0, 1], [0.2**0.5, 0.8**0.5], [0, 0]]), atol=1e-6)
    assert not vectors[:, 2:].any()
    assert vectors.dtype == np.float32
    assert [len(each) for each in pool_by_profile(NO_ANSWERS)] == [0, 0]
    assert pool_by_profile(NO_ANSWERS)[1].shape == (0, NO_ANSWERS.dimensions)


def test_vectors_of_another_encoder_keep_its_name_and_dimensions() -> None:
    other = AnswerEmbeddings(SOME.keys, SOME.vectors[:, :8], "other@1")
    for written in (other, make_no_answers("other@1", 8)):
        read = convert_from_table(convert_to_table(written))
        assert_same(read, written)
        assert (read.encoder, read.dimensions) == ("other@1", 8)
    assert concatenate([other, other]).encoder == "other@1"
    assert pool_by_profile(other)[1].shape == (2, 8)
    older = convert_to_table(SOME).replace_schema_metadata(None)
    assert convert_from_table(older).encoder == SOME.encoder == "all-MiniLM-L6-v2"
