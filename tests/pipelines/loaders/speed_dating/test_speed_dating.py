import csv
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, text

from pipelines.loaders.records import Person, Source, compute_age
from pipelines.loaders.speed_dating.speed_dating import OPTIONAL, load_speed_dating, read_speed_dating
from pipelines.loaders.speed_dating.speed_dating_key import WAVE_DATES
from tests.pipelines.loaders.conftest import public_file

Value = TypeVar("Value")

ATTRIBUTES = ("attr", "sinc", "intel", "fun", "amb", "shar")
ACTIVITIES = (
    *("sports", "tvsports", "exercise", "dining", "museums", "art", "hiking", "gaming", "clubbing"),
    *("reading", "tv", "theater", "movies", "concerts", "music", "shopping", "yoga"),
)
BEFORE_THE_EVENT = {
    *("iid", "id", "gender", "idg", "condtn", "wave", "round", "position", "positin1", "order", "partner", "pid"),
    *("age", "field", "field_cd", "undergra", "mn_sat", "tuition", "race", "imprace", "imprelig", "from", "zipcode"),
    *("income", "goal", "date", "go_out", "career", "career_c", *ACTIVITIES, "exphappy", "expnum"),
    *(f"{attribute}{block}_1" for attribute in ATTRIBUTES for block in range(1, 6)),
}


def named(names: str, *values: Value) -> dict[str, Value]:
    return dict(zip(names.split(), values, strict=True))


ANSWERS = {
    **named("age field field_cd career career_c from", "24", " Law ", "1", "judge", "1", "Québec"),
    **named("undergra goal race date go_out zipcode imprace", "", "4", "3", "7", "1", "0", "1"),
    **named("imprelig income mn_sat tuition exphappy expnum", "10", "69,487.00", "1,400.00", "", "6", "3"),
    **dict.fromkeys(ACTIVITIES, "5"),
    **named("gaming tvsports yoga hiking", "14", "7", "", "6"),
    **named("attr1_1 sinc1_1 intel1_1 fun1_1 amb1_1 shar1_1", "40", "20", "20", "10", "10", "0"),
    **named("attr2_1 sinc2_1 intel2_1 fun2_1 amb2_1 shar2_1", "8", "4", "4", "2", "2", ""),
    **named("attr3_1 sinc3_1 intel3_1 fun3_1 amb3_1", "6", "7", "8", "9", "10"),
    **named("attr5_1 sinc5_1 intel5_1 fun5_1 amb5_1", "5", "", "", "", ""),
}
PROFILE = Person(
    *("speed-dating:1", "Guest 1", date(1978, 5, 14), "woman", ("man",)),
    texts={"What I study": "Law", "What I want to be": "judge", "Where I come from": "Québec"},
    interests=("watching sports", "gaming"),
    traits={
        **dict.fromkeys(ACTIVITIES, 5.0),
        **named("gaming tvsports hiking", 10.0, 7.0, 6.0),
        **named("attractive sincere intelligent fun ambitious", 6.0, 7.0, 8.0, 9.0, 10.0),
        **named("others_see_me_attractive they_want_attractive they_want_sincere", 5.0, 0.4, 0.2),
        **named("they_want_intelligent they_want_fun they_want_ambitious", 0.2, 0.1, 0.1),
        **named("goes_on_dates goes_out income sat exphappy expnum", 1.0, 7.0, 69487.0, 1400.0, 6.0, 3.0),
    },
    facts=named("field career goal race", "law", "lawyer", "a serious relationship", "Latino or Hispanic American"),
    wants={
        **named("attractive sincere intelligent fun ambitious", 0.4, 0.2, 0.2, 0.1, 0.1),
        **named("shared_interests same_race same_religion", 0.0, 0.1, 1.0),
    },
)
del PROFILE.traits["yoga"]


def side(guest: int, partner: int | str, **cells: object) -> dict[str, object]:
    """A row of wave 4: odd guests are women, even ones men."""
    row = named("iid pid gender wave order dec match", guest, partner, 1 - guest % 2, 4, 1, 0, 0)
    return {**row, **ANSWERS, **cells}


def write(path: Path, sides: Iterable[dict[str, Any]]) -> Path:
    sides = list(sides)
    with path.open("w", encoding="mac_roman", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for cells in sides for name in cells)))
        writer.writeheader()
        writer.writerows(sides)
    return path


def read(path: Path, *sides: dict[str, Any]) -> Source:
    return read_speed_dating(write(path / "evening.csv", sides))


def by_number(source: Source) -> dict[int, Person]:
    return {int(person.source_key.removeprefix("speed-dating:")): person for person in source.people}


def test_a_questionnaire_becomes_a_profile(tmp_path: Path) -> None:
    rated = named("attr1_1 sinc1_1 intel1_1 fun1_1 amb1_1 shar1_1", "8", "4", "4", "2", "2", "0")
    guests = by_number(read(tmp_path, side(1, 2), side(2, 1), side(3, 2, wave=7, **rated)))
    assert guests[1] == PROFILE
    assert guests[3].wants == PROFILE.wants  # as shares, 100 points and ratings of ten are the same


def test_identity_alone_is_enough(tmp_path: Path) -> None:
    source = read(tmp_path, {"wave": 21, "pid": "2.0", "iid": "1.0", "gender": "1.0"})
    assert source.people == [Person("speed-dating:1", "Guest 1", date(1977, 10, 8), "man", ("woman",))]
    assert source.interactions == []


def test_words_that_stand_for_no_answer_are_blank_and_counted(tmp_path: Path) -> None:
    markers = ["", "NA", "n/a", "?", "??", "None", "none", "NULL", "<NA>", "#N/A", "nan", "-"]
    silent = [side(2 * n + 3, 2, **dict.fromkeys(ANSWERS, each)) for n, each in enumerate(markers)]
    source = read(tmp_path, side(1, 2), side(2, 1), *silent)
    assert by_number(source)[3] == Person("speed-dating:3", "Guest 3", PROFILE.birth_date, "woman", ("man",))
    guests = (person for number, person in by_number(source).items() if number > 2)
    silent_people = [vars(person) | {"source_key": "", "display_name": ""} for person in guests]
    assert silent_people == [silent_people[0]] * len(markers)
    assert (source.refused, len(source.interactions)) == ({}, 2 + len(markers))
    assert [note.split()[0] for note in source.notes] == ["12", "12"]  # no age, no questionnaire
    assert source.no_answers == dict.fromkeys({*ANSWERS} & {*OPTIONAL}, len(markers) - 1)
    source = read(tmp_path, side(1, 2, dec="#N/A", order="?"), side(2, 1, order="NULL", pid="<NA>"))
    assert source.no_answers == {"dec": 1, "order": 2, "pid": 1}
    assert source.interactions == []


def test_a_decision_is_the_actors_own_and_nothing_else_decides(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        side(1, 2, dec=1, dec_o=0, match=0),
        side(2, 1, dec=0, dec_o=1, match=1),
        side(3, 2, dec="", dec_o=1, match=1),
        side(2, 3, dec="1.0"),
        side(4, 1, dec="yes"),
        side(4, 3, dec="2"),
        side(5, ""),
    )
    assert [(each.actor_key, each.target_key, each.kind) for each in source.interactions] == [
        ("speed-dating:1", "speed-dating:2", "like"),
        ("speed-dating:2", "speed-dating:1", "pass"),
        ("speed-dating:2", "speed-dating:3", "like"),
    ]
    assert source.refused == {
        "decision that is neither 0 nor 1": 2,
        "row without a pid: the partner has no rows either": 1,
    }
    assert source.notes == ("1 rows have no decision and give no interaction",)
    assert set(by_number(source)) == {1, 2, 3, 4, 5}


def test_both_sides_of_a_date_have_the_same_moment(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        *(side(1, 2, order=3), side(2, 1, order=5)),
        *(side(1, 4, order=""), side(4, 1, order=2)),
        *(side(3, 2, order=""), side(2, 3, order="")),
        *(side(3, 4, order=400), side(4, 3, order=1)),
    )
    assert [moment.created_at for moment in source.interactions] == [
        *[datetime(2002, 11, 12, 20, 8, tzinfo=UTC)] * 2,
        *[datetime(2002, 11, 12, 20, 4, tzinfo=UTC)] * 2,
        *[datetime(2002, 11, 12, 20, 0, tzinfo=UTC)] * 4,
    ]
    assert source.refused == {"order out of range": 1}


def test_guests_are_as_old_as_they_said_on_their_evening(tmp_path: Path) -> None:
    source = read(tmp_path, *(side(wave, 99, wave=wave, age=17 + wave) for wave in WAVE_DATES))
    evenings = [each.created_at.date() for each in source.interactions]
    assert evenings == list(WAVE_DATES.values())
    for wave, person in by_number(source).items():
        assert compute_age(person.birth_date, WAVE_DATES[wave]) == 17 + wave


def test_an_unknown_age_is_the_median_of_the_gender_that_evening(tmp_path: Path) -> None:
    women = [side(iid, 2, age=age) for iid, age in ((1, 30), (3, 20), (5, 22), (7, ""), (9, 31))]
    elsewhere = side(11, 12, wave=5, age=90), side(13, 2, wave=6, age="NA"), side(13, 4, wave=6, age=33)
    source = read(tmp_path, *women, side(2, 1, age=50), *elsewhere)
    ages = {number: compute_age(each.birth_date, date(2002, 11, 12)) for number, each in by_number(source).items()}
    assert ages[7] == 22
    assert compute_age(by_number(source)[13].birth_date, WAVE_DATES[6]) == 33  # said in a later row
    assert source.notes == ("1 guests gave no age and got the median of their wave and gender",)


def test_impossible_values_and_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    odd = named("sports art income attr1_1 race date imprace", "lots", "-1", "1e999", "101", "9", "0", "16")
    source = read(
        tmp_path,
        *(side(1, 2, **odd), side(2, 1)),
        *(side(1, 2, iid="x"), side(1, 2, gender=2), side(1, 2, wave=22), side(1, 2, wave="")),
        *(side(3, 2, age=17), side(3, 2, age=111), side(3, 2, age="old")),
    )
    assert set(by_number(source)) == {1, 2}
    person = by_number(source)[1]
    assert not {"sports", "art", "income", "goes_on_dates"} & set(person.traits)
    assert not {"race", "same_race"} & {*person.facts, *person.wants}
    assert person.wants["sincere"] == pytest.approx(20 / 60)
    refused = {"row without a usable iid, gender or wave": 4, "row with an age not from 18 to 110": 3}
    assert source.refused == {f"{column} out of range": 1 for column in odd} | refused


@pytest.fixture(scope="module")
def public() -> Source:
    return read_speed_dating(public_file("speed_dating.csv"))


def test_the_public_file(engine: Engine) -> None:
    report = load_speed_dating(engine, public_file("speed_dating.csv"))
    assert (report.profiles_added, report.interactions_added) == (406, 5704)
    assert report.refused == {"row without a pid: the partner has no rows either": 10}
    assert report.notes == (
        "8 guests gave no age and got the median of their wave and gender",
        "6 guests left no questionnaire",
    )
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM app.interactions WHERE kind = 'like'")) == 2364
        genders = connection.execute(text("SELECT gender, count(*) FROM app.profiles GROUP BY 1 ORDER BY 1"))
        assert genders.all() == [("man", 204), ("woman", 202)]
        silent = connection.scalars(text("SELECT source_key FROM app.profiles WHERE traits = '{}'"))
        assert set(silent) >= {f"speed-dating:{iid}" for iid in (58, 59, 136, 339, 340, 346)}


def test_the_values_of_the_public_file_are_on_their_scales(public: Source) -> None:
    people, guest = list(public.people), by_number(public)[1]
    assert compute_age(guest.birth_date, date(2002, 10, 16)) == 21
    assert guest.texts == {"What I study": "Law", "What I want to be": "lawyer", "Where I come from": "Chicago"}
    assert (guest.facts["goal"], guest.facts["race"][:5]) == ("to meet new people", "Asian")
    traits = named("attractive income goes_out they_want_attractive", 6.0, 69487.0, 7.0, 0.35)
    assert traits.items() <= guest.traits.items()
    assert "peers_want_attractive" not in guest.traits  # not asked in wave 1
    wanted = [sum(value for name, value in person.wants.items() if not name.startswith("same_")) for person in people]
    assert Counter(round(total, 9) for total in wanted) == {1.0: 399, 0.0: 7}
    ratings = {*ACTIVITIES, "attractive", "sincere", "intelligent", "fun", "ambitious", "exphappy"}
    assert all(0 <= person.traits[name] <= 10 for person in people for name in ratings & set(person.traits))
    assert "Ecole Normale Supérieure, Paris" in {person.texts.get("Where I studied") for person in people}


def test_of_the_event_only_the_own_decision_is_read(public: Source, tmp_path: Path) -> None:
    with public_file("speed_dating.csv").open(encoding="mac_roman", newline="") as file:
        rows = list(csv.DictReader(file))
    after = set(rows[0]) - BEFORE_THE_EVENT
    assert len(after) > 100
    assert {"match", "dec", "dec_o", "like", "prob", "int_corr", "samerace", "attr1_s", "attr3_2", "age_o"} <= after
    rng = random.Random(5)  # noqa: S311

    def scramble(names: set[str]) -> Source:
        """Shuffle these columns, after a third of their cells has become nonsense."""
        for name in sorted(names):
            cells = [row[name] if name == "dec" or rng.random() < 0.66 else "?!" for row in rows]
            rng.shuffle(cells)
            for row, cell in zip(rows, cells, strict=True):
                row[name] = cell
        return read(tmp_path, *rows)

    without_dec = scramble(after - {"dec"})
    assert (without_dec.people, without_dec.interactions) == (public.people, public.interactions)
    shuffled = scramble({"dec"})
    assert shuffled.people == public.people
    assert shuffled.interactions != public.interactions
    kinds = [[replace(each, kind="") for each in source.interactions] for source in (shuffled, public)]
    assert kinds[0] == kinds[1]
