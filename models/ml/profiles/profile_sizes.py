"""Size limits of a profile's cells. A cell of the wrong type passes here, because other rules reject it."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import models.db.schema.profile_limits as limits

SizeRule = tuple[Callable[[object], bool], str]
"""Whether a cell is small enough, and the reason for rejecting it."""

ENTRY_BYTES = 40
"""More than PostgreSQL needs for a number, or in addition to the bytes of a word, so that accepted cells fit there."""


def _list_entries(cell: object) -> list[tuple[object, ...]]:
    if isinstance(cell, Mapping):
        return list(cell.items())
    return [(word,) for word in cell] if isinstance(cell, list) else []


def _iterate_words(cell: object) -> Iterable[str]:
    return (word for entry in _list_entries(cell) for word in entry if isinstance(word, str))


def _is_long(word: object, longest: int) -> bool:
    return isinstance(word, str) and len(word) > longest


def _has_few(most: int, cell: object) -> bool:
    return not isinstance(cell, Mapping | list) or len(cell) <= most


def _has_short_names(cell: object) -> bool:
    names = cell if isinstance(cell, Mapping | list) else [cell]
    return not any(_is_long(name, limits.MAX_WORD_LENGTH) for name in names)


def _has_short_answers(cell: object) -> bool:
    return not isinstance(cell, Mapping) or not any(_is_long(text, limits.MAX_ANSWER_LENGTH) for text in cell.values())


def _has_few_bytes(most: int, cell: object) -> bool:
    size = ENTRY_BYTES * len(_list_entries(cell)) + sum(
        len(word.encode(errors="replace")) for word in _iterate_words(cell)
    )
    return size <= most


def _has_few_answer_bytes(most: int, cell: object) -> bool:
    """Return whether the answers are small enough together; answers that are too long alone have another reason."""
    return not _has_short_answers(cell) or _has_few_bytes(most, cell)


def _make_byte_rule(name: str, most: int) -> SizeRule:
    return partial(_has_few_bytes, most), f"{name} take more than {most:,} bytes"


def _make_count_rule(name: str, most: int) -> SizeRule:
    return partial(_has_few, most), f"more than {most} {name}"


def _make_length_rule(name: str) -> SizeRule:
    return _has_short_names, f"{name} is longer than {limits.MAX_WORD_LENGTH} characters"


SIZES: dict[str, tuple[SizeRule, ...]] = {
    "gender": (_make_length_rule("gender"),),
    "seeks": (
        _make_count_rule("genders in seeks", limits.MAX_GENDERS),
        _make_byte_rule("seeks", limits.MAX_SEEKS_BYTES),
    ),
    "texts": (
        (_has_short_answers, f"an answer is longer than {limits.MAX_ANSWER_LENGTH:,} characters"),
        _make_count_rule("answers", limits.MAX_ANSWERS),
        (
            partial(_has_few_answer_bytes, limits.MAX_TEXT_BYTES),
            f"texts take more than {limits.MAX_TEXT_BYTES:,} bytes",
        ),
    ),
    "interests": (
        _make_length_rule("an interest"),
        _make_count_rule("interests", limits.MAX_INTERESTS),
        _make_byte_rule("interests", limits.MAX_VALUE_BYTES),
    ),
    **{name: (_make_byte_rule(name, limits.MAX_VALUE_BYTES),) for name in ("traits", "facts", "wants")},
}
"""Size rules of each column of a profiles frame."""
