"""How large the cells of a profile may be. A cell of the wrong type has no size here: other rules refuse it."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import models.db.profile_limits as limits

Rule = tuple[Callable[[object], bool], str]
"""Whether a cell is small enough, and the reason to refuse it if not."""

ENTRY_BYTES = 40
"""More than PostgreSQL needs for a number, or beside the bytes of a word: what is accepted here fits there."""


def _entries(cell: object) -> list[tuple[object, ...]]:
    if isinstance(cell, Mapping):
        return list(cell.items())
    return [(word,) for word in cell] if isinstance(cell, list) else []


def _words(cell: object) -> Iterable[str]:
    return (word for entry in _entries(cell) for word in entry if isinstance(word, str))


def _is_long(word: object, longest: int) -> bool:
    return isinstance(word, str) and len(word) > longest


def _has_few(most: int, cell: object) -> bool:
    return not isinstance(cell, Mapping | list) or len(cell) <= most


def _has_short_names(cell: object) -> bool:
    names = cell if isinstance(cell, Mapping | list) else [cell]
    return not any(_is_long(name, limits.LONGEST_WORD) for name in names)


def _has_short_answers(cell: object) -> bool:
    return not isinstance(cell, Mapping) or not any(_is_long(text, limits.LONGEST_ANSWER) for text in cell.values())


def _takes_few_bytes(most: int, cell: object) -> bool:
    size = ENTRY_BYTES * len(_entries(cell)) + sum(len(word.encode(errors="replace")) for word in _words(cell))
    return size <= most


def _takes_few_bytes_of_answers(most: int, cell: object) -> bool:
    """Answers that are too long by themselves are refused for that."""
    return not _has_short_answers(cell) or _takes_few_bytes(most, cell)


def _bytes(name: str, most: int) -> Rule:
    return partial(_takes_few_bytes, most), f"{name} take more than {most:,} bytes"


def _few(name: str, most: int) -> Rule:
    return partial(_has_few, most), f"more than {most} {name}"


def _short(name: str) -> Rule:
    return _has_short_names, f"{name} is longer than {limits.LONGEST_WORD} characters"


SIZES: dict[str, tuple[Rule, ...]] = {
    "gender": (_short("gender"),),
    "seeks": (_few("genders in seeks", limits.MOST_GENDERS), _bytes("seeks", limits.LARGEST_SEEKS)),
    "texts": (
        (_has_short_answers, f"an answer is longer than {limits.LONGEST_ANSWER:,} characters"),
        _few("answers", limits.MOST_ANSWERS),
        (
            partial(_takes_few_bytes_of_answers, limits.LARGEST_TEXTS),
            f"texts take more than {limits.LARGEST_TEXTS:,} bytes",
        ),
    ),
    "interests": (
        _short("an interest"),
        _few("interests", limits.MOST_INTERESTS),
        _bytes("interests", limits.LARGEST_VALUES),
    ),
    **{name: (_bytes(name, limits.LARGEST_VALUES),) for name in ("traits", "facts", "wants")},
}
"""The rules of each column of a profiles frame."""
