"""The language of messages (py3langid, after Lui & Baldwin 2012)."""

from collections.abc import Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from models.ml.conversations.words.bodies import cut_bodies

# Languages that people write to each other in. The identifier knows hundreds; among those a short message is
# mistaken for a small neighbour of its language.
LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "lv", "no", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "th", "tr",
    "uk", "ur",
    "vi", "zh",
)  # fmt: skip
# Fewer letters say nothing; a message of emoji or digits has none.
MIN_LETTERS = 3
UNKNOWN = "und"
"""Undetermined (ISO 639-2)."""


def detect_language(bodies: Sequence[str]) -> list[str]:
    """Return the language of each text as an ISO 639-1 code, or `und` where it has fewer than three letters.

    A text in several languages has the one that prevails. Join a side's messages for a sure answer: one of a few words
    may be mistaken. Only the beginning of a long body is read.
    """
    return [_classify(body) for body in cut_bodies(bodies)]


def _classify(body: str) -> str:
    if sum(map(str.isalpha, body)) < MIN_LETTERS:
        return UNKNOWN
    return str(_load_identifier().classify(body)[0])


@cache
def _load_identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(LANGUAGES)
    return identifier
