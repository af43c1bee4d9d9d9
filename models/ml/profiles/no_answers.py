"""Markers of a missing answer, as spreadsheets, databases and programs write them."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache

import pandas as pd

# In upper or lower case, since none of them could be a real answer.
MARKERS = frozenset({"na", "n/a", "n.a", "n\\a", "nan", "nat", "null", "nil", "undefined", "#n/an/a"})
# Only as programs write it: "none" in lower case answers "Which pets do you have?".
NONE = frozenset({"None", "NONE"})
# Errors of spreadsheets, NaN and infinity as C prints them, and NULL in a database dump.
ERROR = re.compile(r"#[a-z/0_]+[!?]|#(n/a|na|spill|calc|error|getting_data)|-?1\.#[a-z]+|\\n")
# Invisible filler characters that Unicode classifies as letters and symbols.
INVISIBLE = "\u115f\u1160\u2800"


@lru_cache(maxsize=65_536)
def is_no_answer(word: str) -> bool:
    """Return whether a word stands for no answer: blank, only punctuation, or a marker such as `NA` or `<null>`.

    Punctuation and space around a marker are ignored. An emoji is an answer.
    """
    plain = unicodedata.normalize("NFKC", word)
    core = _strip(plain)
    if not core or core in NONE:
        return True
    spaceless = "".join(plain.split()).casefold()
    return "".join(core.split()).casefold() in MARKERS or spaceless in MARKERS or bool(ERROR.fullmatch(spaceless))


def _strip(word: str) -> str:
    """Return a word without the punctuation, marks, mathematical signs and space around it."""
    shown = [place for place, character in enumerate(word) if _is_shown(character)]
    return word[shown[0] : shown[-1] + 1] if shown else ""


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    return character not in INVISIBLE and category[0] not in "PZCM" and category not in ("Sm", "Sk")


def remove_no_answers(profiles: pd.DataFrame) -> tuple[pd.DataFrame, Counter[str]]:
    """Remove facts and interests that stand for no answer.

    Args:
        profiles: A profiles frame that has not been checked yet. Blank words stay, so that the contract rejects them.

    Returns:
        The frame without them, and the number removed for each column.
    """
    cleaned = profiles.assign(
        facts=profiles["facts"].map(_remove_marked_facts),
        interests=profiles["interests"].map(_remove_marked_interests),
    )
    return cleaned, +Counter(
        {
            name: sum(
                len(before) - len(after)
                for before, after in zip(profiles[name], cleaned[name], strict=True)
                if before is not after
            )
            for name in ("facts", "interests")
        }
    )


def _remove_marked_facts(cell: object) -> object:
    if not isinstance(cell, dict) or not any(map(_is_marked, cell.values())):
        return cell
    return {name: word for name, word in cell.items() if not _is_marked(word)}


def _remove_marked_interests(cell: object) -> object:
    if not isinstance(cell, list) or not any(map(_is_marked, cell)):
        return cell
    return [word for word in cell if not _is_marked(word)]


def _is_marked(word: object) -> bool:
    return isinstance(word, str) and bool(word.strip()) and is_no_answer(word)
