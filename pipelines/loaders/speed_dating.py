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

from sqlalchemy import Engine

from models.db.schema.profile_limits import MAX_AGE, MIN_AGE
from pipelines.loaders import app_tables
from pipelines.loaders.csv_files import parse_whole_number, read_rows
from pipelines.loaders.records import Interaction, LoadReport, Source
from pipelines.loaders.speed_dating_key import GENDERS, WAVE_DATES
from pipelines.loaders.speed_dating_profile import COLUMNS, make_person, make_source_key, read_bounded_number

REQUIRED = ("iid", "gender", "wave", "pid")
OPTIONAL = ("age", "order", "dec", *COLUMNS)
ENCODINGS = ("utf-8-sig", "mac_roman")  # the public file is Mac Roman; copies of it have been saved as UTF-8

TYPICAL_AGE = 26  # the median of the public file, for parts of it without any age
START = time(20, tzinfo=UTC)  # assumed: the file contains no times of day
DATE_LENGTH = timedelta(minutes=4)
MOST_DATES = 60  # in one evening
KINDS = {0: "pass", 1: "like"}


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
    refused, notes, no_answers = Counter[str](), Counter[str](), Counter[str]()
    sides = _read_sides(path, refused, no_answers)
    guests = {side.guest: side for side in reversed(sides)}
    ages = _impute_ages(sides, notes)
    people = [
        make_person(guest, side.gender, ages[guest], WAVE_DATES[side.wave], side.cells, refused)
        for guest, side in guests.items()
    ]
    notes["guests left no questionnaire"] = sum(not (guest.traits or guest.facts or guest.wants) for guest in people)
    interactions = _make_interactions(sides, refused, notes)
    noted = tuple(f"{count} {what}" for what, count in notes.items() if count)
    return Source(people, interactions, refused, noted, no_answers)


def _read_sides(path: Path, refused: Counter[str], no_answers: Counter[str]) -> list[Side]:
    sides = []
    for _, cells in read_rows(path, REQUIRED, OPTIONAL, ENCODINGS, refused, no_answers):
        guest, partner, gender, wave, age = (
            parse_whole_number(cells[name]) for name in ("iid", "pid", "gender", "wave", "age")
        )
        if guest is None or gender not in GENDERS or wave not in WAVE_DATES:
            refused["row without a usable iid, gender or wave"] += 1
        elif cells["age"] and not (age is not None and MIN_AGE <= age <= MAX_AGE):
            refused[f"row with an age not from {MIN_AGE} to {MAX_AGE}"] += 1
        else:
            sides.append(Side(guest, partner, gender, wave, age, cells))
    return sides


def _impute_ages(sides: Sequence[Side], notes: Counter[str]) -> dict[int, int]:
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
    notes["guests gave no age and got the median of their wave and gender"] = len(guessed)
    return given | guessed


def _make_interactions(sides: Iterable[Side], refused: Counter[str], notes: Counter[str]) -> list[Interaction]:
    moments = _schedule_dates(sides, refused)
    interactions = []
    for side in sides:
        decision = parse_whole_number(side.cells["dec"])
        if side.partner is None:
            refused["row without a pid: the partner has no rows either"] += 1
        elif decision in KINDS:
            moment = moments[_identify_pair(side)]
            keys = make_source_key(side.guest), make_source_key(side.partner)
            interactions.append(Interaction(*keys, KINDS[decision], moment))
        elif not side.cells["dec"]:
            notes["rows have no decision and give no interaction"] += 1
        else:
            refused["decision that is neither 0 nor 1"] += 1
    return interactions


def _identify_pair(side: Side) -> frozenset[int | None]:
    return frozenset((side.guest, side.partner))


def _schedule_dates(sides: Iterable[Side], refused: Counter[str]) -> dict[frozenset[int | None], datetime]:
    """Return when each pair met: dates of four minutes from `START`, in the sequence that `order` gives.

    In some waves the two sides give different numbers; the earlier one counts for both. A missing number counts as the
    first.
    """
    places: dict[frozenset[int | None], float] = {}
    for side in sides:
        place = read_bounded_number(side.cells, "order", 1, MOST_DATES, refused)
        if place is not None:
            places[_identify_pair(side)] = min(place, places.get(_identify_pair(side), place))
    return {
        _identify_pair(side): datetime.combine(WAVE_DATES[side.wave], START)
        + DATE_LENGTH * (places.get(_identify_pair(side), 1) - 1)
        for side in sides
    }
