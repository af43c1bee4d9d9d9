"""The reasons for which people and interactions are refused, as texts without personal values that can be counted.

A person who breaks a rule is refused as a whole: nothing is truncated or corrected.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime

from models.db.schema import profile_limits as limits
from models.db.schema.profile_limits import MAX_AGE, MAX_ANSWER_LENGTH, MAX_WORD_LENGTH, MIN_AGE
from models.ml.profiles.profile_sizes import SIZES
from pipelines.loaders.records import Interaction, Person, compute_age

KINDS = ("like", "pass")
MAX_SMALLINT = 32_767  # the largest position
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNKNOWN_PERSON = "interaction with an unknown person"


def _iterate_words(person: Person) -> Iterator[str]:
    """Yield every string of a profile except the answers."""
    yield from (person.source_key, person.display_name, person.gender, *person.seeks, *person.interests)
    yield from (*person.texts, *person.traits, *person.wants, *person.facts, *person.facts.values())


def _has_unstorable_text(words: Iterable[str]) -> bool:
    return UNSTORABLE.search("".join(words)) is not None


def _use_default(number: float | None, default: float) -> float:
    return default if number is None else number


def _is_within(number: float | None, bounds: tuple[float, float]) -> bool:
    return number is None or bounds[0] <= number <= bounds[1]


def _has_invalid_location(person: Person) -> bool:
    if person.latitude is None or person.longitude is None:
        return person.latitude is not person.longitude
    return not (_is_within(person.latitude, limits.LATITUDES) and _is_within(person.longitude, limits.LONGITUDES))


def _has_invalid_limits(person: Person) -> bool:
    least, most = limits.AGE_LIMITS
    ages_fit = least <= _use_default(person.age_min, least) <= _use_default(person.age_max, most) <= most
    return not (ages_fit and _is_within(person.max_distance_km, limits.DISTANCES_KM))


def _has_numbers_out_of_range(person: Person) -> bool:
    traits = all(_is_within(number, limits.TRAITS) for number in person.traits.values())
    return not (traits and all(_is_within(number, limits.WANTS) for number in person.wants.values()))


def _is_too_large(person: Person) -> bool:
    cells = {name: getattr(person, name) for name in SIZES}
    return not all(
        rule(list(cell) if isinstance(cell, tuple) else cell) for name, cell in cells.items() for rule, _ in SIZES[name]
    )


REFUSALS: dict[str, Callable[[Person, date], bool]] = {
    "text with a NUL byte or a lone surrogate": lambda person, _: _has_unstorable_text(
        [*_iterate_words(person), *person.texts.values()]
    ),
    "blank source key, name or gender": lambda person, _: (
        not all(map(str.strip, (person.source_key, person.display_name, person.gender)))
    ),
    f"answer longer than {MAX_ANSWER_LENGTH:,} characters": lambda person, _: (
        max(map(len, person.texts.values()), default=0) > MAX_ANSWER_LENGTH
    ),
    f"name, fact or interest longer than {MAX_WORD_LENGTH} characters": lambda person, _: (
        max(map(len, _iterate_words(person))) > MAX_WORD_LENGTH
    ),
    "blank interest, fact or gender looked for": lambda person, _: (
        not all(map(str.strip, (*person.seeks, *person.interests, *person.facts.values())))
    ),
    "too many or too large answers, interests, traits, facts or wants": lambda person, _: _is_too_large(person),
    "birth date in the future": lambda person, today: person.birth_date > today,
    f"under {MIN_AGE}": lambda person, today: compute_age(person.birth_date, today) < MIN_AGE,
    f"over {MAX_AGE} years old": lambda person, today: compute_age(person.birth_date, today) > MAX_AGE,
    "trait or want that is not a finite number": lambda person, _: (
        not all(map(math.isfinite, (*person.traits.values(), *person.wants.values())))
    ),
    "trait or want out of range": lambda person, _: _has_numbers_out_of_range(person),
    "coordinates incomplete or out of range": lambda person, _: _has_invalid_location(person),
    "age or distance limit out of range": lambda person, _: _has_invalid_limits(person),
}


def find_refusal(person: Person, today: date) -> str | None:
    """Return why this person cannot be loaded, without personal values, or None."""
    return next((reason for reason, applies in REFUSALS.items() if applies(person, today)), None)


def find_interaction_refusal(interaction: Interaction) -> str | None:
    """Return why this interaction cannot be loaded, without personal values, or None.

    It does not check whether the two people exist.
    """
    if interaction.kind not in KINDS:
        return "interaction of an unknown kind"
    if interaction.actor_key == interaction.target_key:
        return "interaction with oneself"
    if _has_unstorable_text((interaction.actor_key, interaction.target_key)):
        return UNKNOWN_PERSON
    if not (
        1 <= _use_default(interaction.position, 1) <= MAX_SMALLINT and 0 < _use_default(interaction.propensity, 1) <= 1
    ):
        return "interaction with a position or propensity out of range"
    return None


def filter_people(people: Iterable[Person], reasons: Counter[str]) -> Iterator[Person]:
    """Yield the people that can be loaded, each source key once, and count the others in `reasons`."""
    today = datetime.now(UTC).date()
    seen: set[str] = set()
    for person in people:
        reason = "source key seen before in this load" if person.source_key in seen else find_refusal(person, today)
        if reason is None:
            seen.add(person.source_key)
            yield person
        else:
            reasons[reason] += 1


def filter_interactions(interactions: Iterable[Interaction], reasons: Counter[str]) -> Iterator[Interaction]:
    """Yield the interactions that can be loaded if their people exist, and count the others in `reasons`."""
    for interaction in interactions:
        reason = find_interaction_refusal(interaction)
        if reason is None:
            yield interaction
        else:
            reasons[reason] += 1
