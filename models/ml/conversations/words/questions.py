"""Questions in messages: marks of any script, and sentences that ask without one."""

import re
from collections.abc import Sequence

import numpy as np

from models.ml.arrays import Int64Array
from models.ml.conversations.words.bodies import MAX_CHARACTERS, QUESTION_MARKS, split_sentences

MARK = re.compile(f"[{QUESTION_MARKS}]")
# A quotation of an address is no question: https://example.org/?page=2.
ADDRESS = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
# What may come before the words that ask.
_OPENING = (
    r"(?:(?:and|so|but|well|ok|okay|oh|hey|hi|hello|yes|yeah|no|great|good|cool|thanks|sure|also|then|now|lol|haha|"
    r"if so|or|und|aber|na|et|alors|y|pero|e|ma)[,! ]+){0,3}"
)
_ENGLISH = (
    # An auxiliary before its subject: "are you", "is wood", "wouldn't it", but not "can do", "will be", "would love".
    r"(?:(?:am|do|does|did|have|has|may|shall|don'?t|haven'?t|doesn'?t|didn'?t) (?:you|u|ya|your|we|i|it|he|she|they|"
    r"there|that|this|any|anyone|anybody|everyone|the)\b|"
    r"(?:is|are|was|were|can|could|would|will|should|isn'?t|aren'?t|can'?t|couldn'?t|wouldn'?t|won'?t|shouldn'?t) "
    r"(?!do\b|be\b|love\b|like\b|have\b|see\b|only\b|definitely\b|not\b|also\b|just\b|probably\b|work\b|never\b)\w|"
    r"what'?s|where'?s|who'?s|how'?s|how about|what about|"
    r"(?:what|where|why|who|how|which|when) (?:is|are|was|were|do|does|did|many|much|long|far|often|old|would|will|can|"
    r"could|should|kind|kinds|sort|type|time|brings?|made|else|have|has|if|come)\b|why not|"
    r"any (?!way\b|extra\b|time\b)\w+|(?:you|u) (?:ready|ok|okay|there|sure|free)\b|wanna|care to|"
    r"sounds? (?:good|fair|ok|okay|like a (?:deal|plan)) ?(?:to|for|with)? ?(?:you|u)\b)"
)
_OTHERS = (
    r"(?:(?:was|wo|wer|wie|warum|wann|welche[rsn]?|woher) (?:ist|sind|machst|hast|bist|magst|willst|kannst|kommst|geht|"
    r"war|du)\b|(?:hast|bist|magst|willst|kannst|wollen|sollen) (?:du|wir)\b|"
    r"(?:qui|que|qu'est|où|comment|pourquoi|quand|combien) \w|quel(?:le)?s?\b|est-ce|tu (?:veux|aimes|fais|viens)\b|"
    r"(?:qué|quién|dónde|cómo|por qué|cuándo|cuál(?:es)?|cuánt[oa]s?)\b|te gusta|quieres\b)"
)
ASKS = re.compile(_OPENING + f"(?:{_ENGLISH}|{_OTHERS})", re.IGNORECASE)
# What turns any sentence into a question at its end.
TAG = re.compile(
    r"(?:\b(?:and (?:you|u|yourself)|(?<!that's )(?<!thats )(?<!is )(?<!was )(?<!all )right|correct|isn'?t it|"
    r"aren'?t you|don'?t you|eh|oder|nicht wahr|und du|und dir|und selbst|n'est-ce pas|et toi|verdad|y tú))$",
    re.IGNORECASE,
)
# A question may begin after a comma or a smiley.
CLAUSE = re.compile(r"[,;:]\s+|\s[-\u2013]\s|[\u2600-\u27bf\U0001f300-\U0001faff]+\s*")


def count_questions(bodies: Sequence[str]) -> Int64Array:
    """Count the questions of each message, int64 (len(bodies),).

    A sentence counts once: for its question mark, or for words that ask without one in English, German, French or
    Spanish. Only the beginning of a long body is read (`models.ml.conversations.words.bodies`).
    """
    return np.fromiter((_count_in_body(body) for body in bodies), np.int64, len(bodies))


def _count_in_body(body: str) -> int:
    return sum(_is_question(sentence) for sentence in split_sentences(ADDRESS.sub(" ", body[:MAX_CHARACTERS])))


def _is_question(sentence: str) -> bool:
    if MARK.search(sentence):
        return True
    clauses = [each.strip(" .!…,") for each in CLAUSE.split(sentence)]
    return any(map(ASKS.match, clauses)) or bool(TAG.search(sentence.strip(" .!…,")))
