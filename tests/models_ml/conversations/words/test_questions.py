"""Questions: known answers, and public chat with its question marks removed."""

import re

import numpy as np
import pytest

from models.ml.conversations.words.questions import count_questions

KNOWN = {
    "How are you?": 1,
    "How are you??? And your sister?": 2,
    "hi how are you": 1,
    "I am fine, do you like hiking": 1,
    "\u0645\u0627 \u0627\u0633\u0645\u0643\u061f": 1,
    "你好吗\uff1f": 1,
    "Wie geht es dir": 1,
    "¿Qué haces hoy?": 1,
    "See https://example.org/?page=2 for it.": 0,
    "I do what I want.": 0,
    "That is right.": 0,
    "Have a good day!": 0,
    "": 0,
}


@pytest.mark.parametrize(("body", "questions"), KNOWN.items())
def test_known_questions(body: str, questions: int) -> None:
    assert count_questions([body]).tolist() == [questions]


def test_questions_without_marks_in_public_chat(chat: list[str]) -> None:
    """What the writers marked as a question, with the marks taken away."""
    asked = np.array(["?" in text for text in chat])
    found = count_questions([re.sub(r"\?+", ".", text) for text in chat]) > 0
    assert 2 * (found & asked).sum() / (found.sum() + asked.sum()) >= 0.80
