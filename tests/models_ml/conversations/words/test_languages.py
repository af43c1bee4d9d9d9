"""The language of messages: known answers, and an English test suite."""

import pytest

from models.ml.conversations.words.languages import UNKNOWN, detect_language

KNOWN = {
    "Wie geht es dir heute, hast du gut geschlafen?": "de", "Hola, ¿qué tal estás hoy?": "es",
    "שלום, מה שלומך היום": "he",
    "كيف حالك اليوم": "ar", "你好\uff0c今天怎么样": "zh", "Comment vas-tu aujourd'hui ?": "fr",
    "Hallo! I would love to hear more about your dog, he looks so happy": "en",
    "12345": UNKNOWN, "😀": UNKNOWN, "": UNKNOWN,
}  # fmt: skip


@pytest.mark.parametrize(("body", "language"), KNOWN.items())
def test_known_languages(body: str, language: str) -> None:
    assert detect_language([body]) == [language]


def test_english_sentences(suite_sentences: list[str]) -> None:
    assert detect_language(suite_sentences).count("en") >= 0.99 * len(suite_sentences)
