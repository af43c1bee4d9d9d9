"""Load the Columbia speed-dating experiment of 2002 to 2004 (Fisman, Iyengar, Kamenica, Simonson) from its public file.

Only the columns listed here and in `speed_dating_profile.COLUMNS` are read, so that nothing a guest said at the event
or later enters a profile. Of the event itself only the guest's own `dec` is read; it is the kind of the interaction.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from models.db.schema.profile_limits import MAX_AGE, MIN_AGE
from pipelines.loaders import app_tables
from pipelines.loaders.csv_files import parse_whole_number, read_rows
from pipelines.loaders.records import Interaction, LoadReport, Person, Refusal, Source
from pipelines.loaders.speed_dating.speed_dating_key import GENDERS, WAVE_DATES
from pipelines.loaders.speed_dating.speed_dating_profile import (
    COLUMNS,
    make_person,
    make_source_key,
    read_bounded_number,
)

REQUIRED = ("iid", "gender", "wave", "pid")
OPTIONAL = ("age", "order", "dec", *COLUMNS)
ENCODINGS = ("utf-8-sig", "mac_roman")  # the public file is Mac Roman; copies of it have been saved as UTF-8

TYPICAL_AGE = 26  # the median of the public file, for parts of it without any age
START = time(20, tzinfo=UTC)  # assumed: the file contains no times of day
DATE_LENGTH = timedelta(minutes=4)
MOST_DATES = 60  # in one evening
KINDS = {0: "pass", 1: "like"}

Item = TypeVar("Item")


@dataclass(frozen=True)
class Side:
    """One row: one guest's side of one date. `partner` and `age` are None if the file omits them."""

    guest: int
    partner: int | None
    gender: int
    wave: int
    age: int | None
    cells: Mapping[str, str]


def load_speed_dating(engine: Engine, path: Path) -> LoadReport:
    """Load the guests and their decisions that `read_speed_dating` reads.

    Loading another part of the file adds to the rows that are already stored.

    Raises:
        InputError: The file cannot be used.
        DatabaseUnavailable: The server was lost; nothing is written.
    """
    source = read_speed_dating(path)
    report = app_tables.fill_app_tables(engine, source.people, source.interactions, source.refused)
    return replace(report, notes=source.notes, no_answers=source.no_answers)


def read_speed_dating(path: Path) -> Source:
    """Read the guests and decisions from the file, or from any part of it that has the columns of `REQUIRED`.

    Everyone with rows of their own is a guest. A row without `dec` adds its guest but no interaction.

    Raises:
        InputError: The file cannot be used.
    """
    found = read_rows(path, REQUIRED, OPTIONAL, ENCODINGS)
    sides, refused_rows = _separate(_parse_side(cells) for _, cells in found.rows)
    guests = {side.guest: side for side in reversed(sides)}
    ages = _impute_ages(sides)
    made = [
        make_person(guest, side.gender, ages[guest], WAVE_DATES[side.wave], side.cells)
        for guest, side in guests.items()
    ]
    people = [person for person, _ in made]
    moments, refused_orders = _schedule_dates(sides)
    interactions, refused_decisions = _separate(
        _make_interaction(side, moments) for side in sides if side.partner is None or side.cells["dec"]
    )
    refused = sum((values for _, values in made), found.refused + refused_rows) + refused_orders + refused_decisions
    return Source(people, interactions, refused, _list_notes(sides, people), found.no_answers)


def _separate(items: Iterable[Item | Refusal]) -> tuple[list[Item], Counter[str]]:
    """Separate what was accepted from the refusals, and count those by reason."""
    accepted, refused = [], Counter[str]()
    for item in items:
        if isinstance(item, Refusal):
            refused[item.reason] += 1
        else:
            accepted.append(item)
    return accepted, refused


def _list_notes(sides: Sequence[Side], people: Sequence[Person]) -> tuple[str, ...]:
    guests, with_age = {side.guest for side in sides}, {side.guest for side in sides if side.age is not None}
    undecided = [side for side in sides if side.partner is not None and not side.cells["dec"]]
    counts = {
        "guests gave no age and got the median of their wave and gender": len(guests - with_age),
        "guests left no questionnaire": sum(not (each.traits or each.facts or each.wants) for each in people),
        "rows have no decision and give no interaction": len(undecided),
    }
    return tuple(f"{count} {what}" for what, count in counts.items() if count)


def _parse_side(cells: Mapping[str, str]) -> Side | Refusal:
    guest, partner, gender, wave, age = (
        parse_whole_number(cells[name]) for name in ("iid", "pid", "gender", "wave", "age")
    )
    if guest is None or gender not in GENDERS or wave not in WAVE_DATES:
        return Refusal("row without a usable iid, gender or wave")
    if cells["age"] and not (age is not None and MIN_AGE <= age <= MAX_AGE):
        return Refusal(f"row with an age not from {MIN_AGE} to {MAX_AGE}")
    return Side(guest, partner, gender, wave, age, cells)


def _impute_ages(sides: Sequence[Side]) -> dict[int, int]:
    """Return the age at the event by guest. A missing age becomes the median of the same wave and gender."""
    guests = {side.guest: side for side in reversed(sides)}
    given = {side.guest: side.age for side in reversed(sides) if side.age is not None}
    peers = defaultdict(list)
    for guest, age in given.items():
        peers[guests[guest].wave, guests[guest].gender].append(age)
    everyone = list(given.values()) or [TYPICAL_AGE]
    guessed = {
        guest: statistics.median_low(peers[side.wave, side.gender] or everyone)
        for guest, side in guests.items()
        if guest not in given
    }
    return given | guessed


def _make_interaction(side: Side, moments: Mapping[frozenset[int | None], datetime]) -> Interaction | Refusal:
    decision = parse_whole_number(side.cells["dec"])
    if side.partner is None:
        return Refusal("row without a pid: the partner has no rows either")
    if decision not in KINDS:
        return Refusal("decision that is neither 0 nor 1")
    keys = make_source_key(side.guest), make_source_key(side.partner)
    return Interaction(*keys, KINDS[decision], moments[_identify_pair(side)])


def _identify_pair(side: Side) -> frozenset[int | None]:
    return frozenset((side.guest, side.partner))


def _schedule_dates(sides: Iterable[Side]) -> tuple[dict[frozenset[int | None], datetime], Counter[str]]:
    """Return when each pair met, and how many values of `order` were left out, by reason.

    Dates take four minutes each from `START`, in the sequence that `order` gives.

    In some waves the two sides give different numbers; the earlier one counts for both. A missing number counts as the
    first.
    """
    places: dict[frozenset[int | None], float] = {}
    refused = Counter[str]()
    for side in sides:
        place = read_bounded_number(side.cells, "order", 1, MOST_DATES, refused)
        if place is not None:
            places[_identify_pair(side)] = min(place, places.get(_identify_pair(side), place))
    moments = {
        _identify_pair(side): datetime.combine(WAVE_DATES[side.wave], START)
        + DATE_LENGTH * (places.get(_identify_pair(side), 1) - 1)
        for side in sides
    }
    return moments, refused
