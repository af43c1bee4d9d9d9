"""Which answers a vector can represent: the tokenizer knows their letters, and they say something."""

import re
import unicodedata
from collections.abc import Sequence

from models.ml.profiles.no_answers import is_no_answer

# Share of an answer's letters and their marks. The tokenizer knows no words of Thai, Khmer, Burmese, Amharic, Lao,
# Telugu, Malayalam, Gujarati, Punjabi and Sinhala. Any two sentences in these have almost the same vector.
MIN_KNOWN_SHARE = 0.5
# "ok", "hi", "haha" and "mmm" have fewer distinct letters; "law" has just enough.
MIN_DISTINCT_LETTERS = 3
# Phrases that avoid an answer.
FILLERS = frozenset({
    "yes", "yeah", "yep", "yup", "nope", "nah", "none", "nothing", "okay", "sure", "maybe", "idk", "dunno", "tba",
    "tbd", "test", "hello", "hey", "later", "blah", "asdf", "ask me", "just ask", "just ask me", "i don t know",
    "don t know", "not sure", "no idea", "no answer", "not applicable", "not available", "prefer not to say",
    "rather not say",
})  # fmt: skip
WORD = re.compile(r"[^\W\d_]+")


def is_worth_a_vector(text: str, read: Sequence[tuple[int, int]]) -> bool:
    """Return whether an answer is read well enough to be compared with others.

    The known word pieces must cover at least half of its letters and three distinct ones. The answer must not be a
    marker of no answer or a filler such as "ask me". Emoji, digits and punctuation do not count.

    Args:
        text: The answer.
        read: Start and end in the text of each piece that the tokenizer knows.
    """
    wordy = "".join(character for character in text if unicodedata.category(character) != "So")
    if is_no_answer(wordy) or " ".join(WORD.findall(text.casefold())) in FILLERS:
        return False
    covered = {place for start, end in read for place in range(start, end)}
    letters = [place for place, character in enumerate(text) if unicodedata.category(character)[0] in "LM"]
    known = [place for place in letters if place in covered]
    different = {text[place].casefold() for place in known}
    return len(known) >= MIN_KNOWN_SHARE * len(letters) and len(different) >= MIN_DISTINCT_LETTERS
