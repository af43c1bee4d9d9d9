"""What is read of a message: its beginning, as sentences, in bounded work."""

import re
from collections.abc import Sequence

# A message of a conversation has some hundred characters; a body of a megabyte costs no more than this.
MAX_CHARACTERS = 2_000
# Question marks: Latin, Arabic, full-width, Greek and Armenian, and three that stand for two.
QUESTION_MARKS = "?\u061f\uff1f\u037e\u055e\u2047\u2048\u2049"
_ENDS = rf"[.!\u2026\u3002\uff01{QUESTION_MARKS}]"
_SENTENCE = re.compile(rf"(?:(?<={_ENDS})(?!{_ENDS})|(?<=\n))\s*")
# Halves of a character, which Python's strings can hold and no encoding can.
_HALVES = re.compile("[\ud800-\udfff\0]")


def cut_bodies(bodies: Sequence[str]) -> list[str]:
    """Return what is read of each body: its first 2,000 characters, with a blank for what no encoding can hold."""
    return [_HALVES.sub(" ", body[:MAX_CHARACTERS]) for body in bodies]


def split_sentences(body: str) -> list[str]:
    """Split what is read of a body after marks that end a sentence; runs of marks stay together."""
    return [each for each in _SENTENCE.split(body[:MAX_CHARACTERS]) if each.strip()]
