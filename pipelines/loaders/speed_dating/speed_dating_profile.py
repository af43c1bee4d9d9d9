"""A guest's questionnaire in the speed-dating file as a profile, with only what was known before the event."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date

from pipelines.loaders.csv_files import parse_number
from pipelines.loaders.records import Person, estimate_birth_date
from pipelines.loaders.speed_dating.speed_dating_key import (
    ACTIVITIES,
    ATTRIBUTES,
    CAREERS,
    FIELDS,
    GENDERS,
    GOALS,
    RACES,
)

PROMPTS = {
    "field": "What I study",
    "career": "What I want to be",
    "from": "Where I come from",
    "undergra": "Where I studied",
}
FACTS = {
    "field_cd": ("field", FIELDS),
    "career_c": ("career", CAREERS),
    "goal": ("goal", GOALS),
    "race": ("race", RACES),
}
HABITS = {"date": "goes_on_dates", "go_out": "goes_out"}
AMOUNTS = {"income": "income", "mn_sat": "sat", "tuition": "tuition", "expnum": "expnum"}
IMPORTANCES = {"imprace": "same_race", "imprelig": "same_religion"}
WANTS_BLOCK = "1"
GUESSED_WANTS_BLOCKS = {"4": "peers_want_", "2": "they_want_"}
SELF_RATING_BLOCKS = {"3": "", "5": "others_see_me_"}
RATED = {column: word for column, word in ATTRIBUTES.items() if column != "shar"}

COLUMNS = (
    *("exphappy", *PROMPTS, *FACTS, *HABITS, *AMOUNTS, *IMPORTANCES, *ACTIVITIES),
    *(f"{attribute}{block}_1" for block in (WANTS_BLOCK, *GUESSED_WANTS_BLOCKS) for attribute in ATTRIBUTES),
    *(f"{attribute}{block}_1" for block in SELF_RATING_BLOCKS for attribute in RATED),
)
"""The columns that make a profile, in addition to iid, gender, wave and age."""

HIGHEST_RATING = 10
HIGHEST_SLIP = 15  # on a scale to 10, the public file contains ratings of 13 and 14, which are read as 10
KEEN = 7  # minimum rating of an activity to become an interest


def make_person(iid: int, gender: int, age: int, event: date, cells: Mapping[str, str]) -> tuple[Person, Counter[str]]:
    """Build the profile of a guest.

    Values out of range are dropped. In the profile, ratings are 0 to 10, preferences are shares of their sum,
    importances are 0 to 1, money is in US dollars, and habits are 1 (almost never) to 7 (several times a week).

    Args:
        iid: Number of the guest in the file.
        gender: Code of GENDERS.
        age: Age in years on the day of the event.
        event: The day of the event.
        cells: The guest's cells by column.

    Returns:
        The profile, and how many values were dropped, by reason.
    """
    refused = Counter[str]()
    ratings = {column: _read_rating(cells, column, refused) for column in ACTIVITIES}
    person = Person(
        source_key=make_source_key(iid),
        display_name=f"Guest {iid}",
        birth_date=estimate_birth_date(age, event),
        gender=GENDERS[gender],
        seeks=(GENDERS[1 - gender],),
        texts={prompt: text for column, prompt in PROMPTS.items() if (text := cells[column].strip())},
        interests=tuple(name for column, name in ACTIVITIES.items() if (ratings[column] or 0) >= KEEN),
        traits=_drop_missing({**ratings, **_read_opinions(cells, refused), **_read_circumstances(cells, refused)}),
        facts=_read_facts(cells, refused),
        wants={**_read_shares(cells, WANTS_BLOCK, refused), **_read_importances(cells, refused)},
    )
    return person, refused


def make_source_key(iid: int) -> str:
    """Return the source key of the guest with this `iid`."""
    return f"speed-dating:{iid}"


def read_bounded_number(
    cells: Mapping[str, str], column: str, low: float, high: float, refused: Counter[str]
) -> float | None:
    """Return the number in a column, or None if it is blank, unreadable or not in [low, high].

    Unreadable numbers and those out of range are counted in `refused`.
    """
    try:
        value = parse_number(cells[column])
    except ValueError:
        value = math.inf
    if value is None or low <= value <= high:
        return value
    refused[f"{column} out of range"] += 1
    return None


def _drop_missing(traits: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in traits.items() if value is not None}


def _read_rating(cells: Mapping[str, str], column: str, refused: Counter[str]) -> float | None:
    value = read_bounded_number(cells, column, 0, HIGHEST_SLIP, refused)
    return None if value is None else min(value, HIGHEST_RATING)


def _read_opinions(cells: Mapping[str, str], refused: Counter[str]) -> dict[str, float | None]:
    """Return the guest's ratings of themselves, of how others see them, and of what others want."""
    seen = {
        prefix + word: _read_rating(cells, f"{column}{block}_1", refused)
        for block, prefix in SELF_RATING_BLOCKS.items()
        for column, word in RATED.items()
    }
    guessed = {
        prefix + word: share
        for block, prefix in GUESSED_WANTS_BLOCKS.items()
        for word, share in _read_shares(cells, block, refused).items()
    }
    return {**seen, **guessed}


def _read_circumstances(cells: Mapping[str, str], refused: Counter[str]) -> dict[str, float | None]:
    amounts = {name: read_bounded_number(cells, column, 0, 10_000_000, refused) for column, name in AMOUNTS.items()}
    codes = _drop_missing({name: read_bounded_number(cells, column, 1, 7, refused) for column, name in HABITS.items()})
    often = {name: 8 - code for name, code in codes.items()}  # in the file, 1 is the most frequent
    return {**amounts, **often, "exphappy": _read_rating(cells, "exphappy", refused)}


def _read_shares(cells: Mapping[str, str], block: str, refused: Counter[str]) -> dict[str, float]:
    """Return a block of six preferences as shares of their sum.

    This makes blocks of 100 points and ratings of 1 to 10 comparable.
    """
    points = _drop_missing(
        {word: read_bounded_number(cells, f"{column}{block}_1", 0, 100, refused) for column, word in ATTRIBUTES.items()}
    )
    total = sum(points.values())
    return {word: value / total for word, value in points.items()} if total else {}


def _read_importances(cells: Mapping[str, str], refused: Counter[str]) -> dict[str, float]:
    ratings = _drop_missing({name: _read_rating(cells, column, refused) for column, name in IMPORTANCES.items()})
    return {name: value / HIGHEST_RATING for name, value in ratings.items()}


def _read_facts(cells: Mapping[str, str], refused: Counter[str]) -> dict[str, str]:
    facts = {}
    for column, (name, words) in FACTS.items():
        code = read_bounded_number(cells, column, 1, len(words), refused)
        if code is not None and code in words:
            facts[name] = words[int(code)]
    return facts
