"""Which people and interactions cannot be loaded, and why, in words that can be counted: no personal values in them.

A person who breaks a rule is refused as a whole: nothing is cut short or mended here.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime

from pipelines.loaders.records import Interaction, Person, age_in_years

KINDS = ("like", "pass")
LONGEST_ANSWER = 10_000
LONGEST_WORD = 500  # also keeps a source key within what a PostgreSQL index entry can hold
MOST = 32_767  # what a smallint holds
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
STRANGER = "interaction with an unknown person"


def _words(person: Person) -> Iterator[str]:
    """Every string of a profile but the answers."""
    yield from (person.source_key, person.display_name, person.gender, *person.seeks, *person.interests)
    yield from (*person.texts, *person.traits, *person.wants, *person.facts, *person.facts.values())


def _unstorable(words: Iterable[str]) -> bool:
    return UNSTORABLE.search("".join(words)) is not None


def _or(number: float | None, default: float) -> float:
    return default if number is None else number


def _misplaced(person: Person) -> bool:
    if person.latitude is None or person.longitude is None:
        return person.latitude is not person.longitude
    return not (-90 <= person.latitude <= 90 and -180 <= person.longitude <= 180)


def _limits_unusable(person: Person) -> bool:
    ages_fit = 0 <= _or(person.age_min, 0) <= _or(person.age_max, MOST) <= MOST
    return not (ages_fit and 0 <= _or(person.max_distance_km, 0) <= MOST)


REFUSALS: dict[str, Callable[[Person, date], bool]] = {
    "text with a NUL byte or a lone surrogate": lambda person, _: _unstorable(
        [*_words(person), *person.texts.values()]
    ),
    "blank source key, name or gender": lambda person, _: (
        not all(map(str.strip, (person.source_key, person.display_name, person.gender)))
    ),
    f"answer longer than {LONGEST_ANSWER:,} characters": lambda person, _: (
        max(map(len, person.texts.values()), default=0) > LONGEST_ANSWER
    ),
    f"name, fact or interest longer than {LONGEST_WORD} characters": lambda person, _: (
        max(map(len, _words(person))) > LONGEST_WORD
    ),
    "birth date in the future": lambda person, today: person.birth_date > today,
    "under 18": lambda person, today: age_in_years(person.birth_date, today) < 18,
    "over 110 years old": lambda person, today: age_in_years(person.birth_date, today) > 110,
    "trait or want that is not a finite number": lambda person, _: (
        not all(map(math.isfinite, (*person.traits.values(), *person.wants.values())))
    ),
    "coordinates incomplete or out of range": lambda person, _: _misplaced(person),
    "age or distance limit out of range": lambda person, _: _limits_unusable(person),
}


def refusal(person: Person, today: date) -> str | None:
    """Why this person cannot be loaded, in words without personal values, or None."""
    return next((reason for reason, applies in REFUSALS.items() if applies(person, today)), None)


def interaction_refusal(interaction: Interaction) -> str | None:
    """Why this interaction cannot be loaded whoever is known, in words without personal values, or None."""
    if interaction.kind not in KINDS:
        return "interaction of an unknown kind"
    if interaction.actor_key == interaction.target_key:
        return "interaction with oneself"
    if _unstorable((interaction.actor_key, interaction.target_key)):
        return STRANGER
    if not (1 <= _or(interaction.position, 1) <= MOST and 0 < _or(interaction.propensity, 1) <= 1):
        return "interaction with a position or propensity out of range"
    return None


def acceptable_people(people: Iterable[Person], reasons: Counter[str]) -> Iterator[Person]:
    """The people that can be loaded, each source key once; the others are counted in `reasons`."""
    today = datetime.now(UTC).date()
    seen: set[str] = set()
    for person in people:
        reason = "source key seen before in this load" if person.source_key in seen else refusal(person, today)
        if reason is None:
            seen.add(person.source_key)
            yield person
        else:
            reasons[reason] += 1


def acceptable_interactions(interactions: Iterable[Interaction], reasons: Counter[str]) -> Iterator[Interaction]:
    """The interactions that can be loaded if their people are known; the others are counted in `reasons`."""
    for interaction in interactions:
        reason = interaction_refusal(interaction)
        if reason is None:
            yield interaction
        else:
            reasons[reason] += 1
