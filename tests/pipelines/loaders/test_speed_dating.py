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

from models.db.errors import InputError
from pipelines.loaders import speed_dating
from pipelines.loaders.records import Interaction, Person, Source, compute_age

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
    source_key="speed-dating:1",
    display_name="Guest 1",
    birth_date=date(1978, 5, 14),
    gender="woman",
    seeks=("man",),
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
    facts={
        "field": "law",
        "career": "lawyer",
        "goal": "a serious relationship",
        "race": "Latino or Hispanic American",
    },
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
    return speed_dating.read_speed_dating(write(path / "evening.csv", sides))


def by_key(source: Source) -> dict[str, Person]:
    return {person.source_key: person for person in source.people}


def test_no_column_of_the_event_or_after_is_read_but_the_own_decision() -> None:
    assert {*speed_dating.REQUIRED, *speed_dating.OPTIONAL} - BEFORE_THE_EVENT == {"dec"}


def test_a_questionnaire_becomes_a_profile(tmp_path: Path) -> None:
    assert by_key(read(tmp_path, side(1, 2), side(2, 1)))["speed-dating:1"] == PROFILE


def test_a_guest_without_a_questionnaire_is_known_by_gender_and_wave(tmp_path: Path) -> None:
    source = read(tmp_path, side(1, 2), side(3, 2) | dict.fromkeys(ANSWERS, ""), side(2, 1), side(2, 3))
    assert by_key(source)["speed-dating:3"] == Person(
        "speed-dating:3", "Guest 3", PROFILE.birth_date, gender="woman", seeks=("man",)
    )
    assert source.notes == (
        "1 guests gave no age and got the median of their wave and gender",
        "1 guests left no questionnaire",
    )


def test_hundred_points_and_ratings_of_ten_give_the_same_shares(tmp_path: Path) -> None:
    rated = {"attr1_1": "8", "sinc1_1": "4", "intel1_1": "4", "fun1_1": "2", "amb1_1": "2", "shar1_1": "0"}
    source = read(tmp_path, side(1, 2, wave=7, **rated), side(2, 1, wave=7))
    assert by_key(source)["speed-dating:1"].wants == PROFILE.wants


def test_a_decision_is_the_actors_own_and_nothing_else_decides(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        side(1, 2, dec=1, dec_o=0, match=0),
        side(2, 1, dec=0, dec_o=1, match=1),
        side(3, 2, dec="", dec_o=1, match=1),
        side(2, 3, dec="1.0"),
        side(4, 1, dec="yes"),
        side(4, 3, dec="2"),
    )
    assert [(i.actor_key, i.target_key, i.kind) for i in source.interactions] == [
        ("speed-dating:1", "speed-dating:2", "like"),
        ("speed-dating:2", "speed-dating:1", "pass"),
        ("speed-dating:2", "speed-dating:3", "like"),
    ]
    assert source.refused == {"decision that is neither 0 nor 1": 2}
    assert source.notes == ("1 rows have no decision and give no interaction",)
    assert len(by_key(source)) == 4


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


def test_rows_without_a_partner_give_their_guest_only(tmp_path: Path) -> None:
    source = read(tmp_path, side(1, "", dec=1), side(2, ""))
    assert len(by_key(source)) == 2
    assert source.interactions == []
    assert source.refused == {"row without a pid: the partner has no rows either": 2}


def test_identity_alone_is_enough(tmp_path: Path) -> None:
    source = read(tmp_path, {"wave": 21, "pid": "2.0", "iid": "1.0", "gender": "1.0"})
    assert source.people == [Person("speed-dating:1", "Guest 1", date(1977, 10, 8), "man", ("woman",))]
    assert source.interactions == []


@pytest.mark.parametrize("wave", range(1, 22))
def test_guests_of_every_wave_are_as_old_as_they_said_on_its_evening(tmp_path: Path, wave: int) -> None:
    source = read(tmp_path, side(1, 2, wave=wave), side(2, 1, wave=wave, age=18))
    evening = next(iter(source.interactions)).created_at.date()
    assert date(2002, 10, 16) <= evening <= date(2004, 4, 7)
    assert [compute_age(person.birth_date, evening) for person in by_key(source).values()] == [18, 24]


def test_an_unknown_age_is_the_median_of_the_same_gender_that_evening(tmp_path: Path) -> None:
    women = [side(iid, 2, age=age) for iid, age in ((1, 30), (3, 20), (5, 22), (7, ""), (9, 31))]
    source = read(tmp_path, *women, side(2, 1, age=50), side(11, 12, wave=5, age=90))
    assert compute_age(by_key(source)["speed-dating:7"].birth_date, date(2002, 11, 12)) == 22


@pytest.mark.parametrize("marker", ["NA", "n/a", "?", "??", "None", "none", "NULL", "<NA>", "#N/A", "nan", "-"])
def test_words_that_stand_for_no_answer_are_none_and_counted(tmp_path: Path, marker: str) -> None:
    marked = side(3, 2) | dict.fromkeys(ANSWERS, marker)
    source = read(tmp_path, side(1, 2), marked, side(2, 1), side(2, 3))
    blank = read(tmp_path, side(1, 2), side(3, 2) | dict.fromkeys(ANSWERS, ""), side(2, 1), side(2, 3))
    assert by_key(source) == by_key(blank)
    assert (source.interactions, source.refused, source.notes) == (blank.interactions, blank.refused, blank.notes)
    assert source.no_answers == dict.fromkeys({*ANSWERS} & {*speed_dating.OPTIONAL}, 1)
    assert blank.no_answers == {}


def test_decisions_and_orders_that_stand_for_no_answer_are_none(tmp_path: Path) -> None:
    source = read(tmp_path, side(1, 2, dec="#N/A", order="?"), side(2, 1, order="NULL", pid="<NA>"))
    assert source.refused == {"row without a pid: the partner has no rows either": 1}
    assert source.notes == ("1 rows have no decision and give no interaction",)
    assert source.no_answers == {"dec": 1, "order": 2, "pid": 1}


def test_an_age_that_only_some_rows_of_a_guest_give_is_theirs(tmp_path: Path) -> None:
    source = read(tmp_path, side(1, 2, age="NA"), side(1, 4, age=33), side(2, 1), side(4, 1))
    assert compute_age(by_key(source)["speed-dating:1"].birth_date, date(2002, 11, 12)) == 33
    assert source.notes == ()


def test_impossible_values_are_left_out_and_counted(tmp_path: Path) -> None:
    odd = {
        "sports": "lots",
        "art": "-1",
        "income": "1e999",
        "attr1_1": "101",
        "race": "9",
        "date": "0",
        "imprace": "16",
    }
    source = read(tmp_path, side(1, 2, **odd), side(2, 1))
    person = by_key(source)["speed-dating:1"]
    assert source.refused == {f"{column} out of range": 1 for column in odd}
    assert not {"sports", "art", "income", "goes_on_dates"} & set(person.traits)
    assert "race" not in person.facts
    assert "same_race" not in person.wants
    assert person.wants["sincere"] == pytest.approx(20 / 60)


def test_rows_that_cannot_be_anybodys_are_refused(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        *(side(1, 2), side(2, 1)),
        *(side(1, 2, iid="x"), side(1, 2, gender=2), side(1, 2, wave=22), side(1, 2, wave="")),
        *(side(3, 2, age=17), side(3, 2, age=111), side(3, 2, age="old")),
    )
    assert sorted(by_key(source)) == ["speed-dating:1", "speed-dating:2"]
    assert source.refused == {"row without a usable iid, gender or wave": 4, "row with an age not from 18 to 110": 3}


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "okcupid.csv"
    path.write_text("age,sex\n30,f\n")
    with pytest.raises(
        InputError, match=r"okcupid\.csv is not the file expected: it has no column iid, gender, wave, pid"
    ):
        speed_dating.read_speed_dating(path)


def test_a_second_part_of_the_file_adds_to_the_first(tmp_path: Path, engine: Engine) -> None:
    first = write(tmp_path / "wave4.csv", [side(1, 2, dec=1), side(2, 1)])
    second = write(
        tmp_path / "wave15.csv", [side(11, 12, wave=15, dec=""), side(12, 11, wave=15, dec=""), side(11, 99, wave=15)]
    )

    one, two, again = (speed_dating.load_speed_dating(engine, path) for path in (first, second, first))

    assert (one.profiles_added, one.interactions_added) == (2, 2)
    assert (two.profiles_added, two.interactions_added) == (2, 0)
    assert two.refused == {"interaction with an unknown person": 1}
    assert two.notes == ("2 rows have no decision and give no interaction",)
    assert (again.profiles_unchanged, again.interactions_unchanged) == (2, 2)
    with engine.connect() as connection:
        keys = connection.scalars(text("SELECT source_key FROM app.profiles ORDER BY 1")).all()
    assert keys == ["speed-dating:1", "speed-dating:11", "speed-dating:12", "speed-dating:2"]


# The public file itself.


def pair_and_moment(interactions: Iterable[Interaction]) -> list[Interaction]:
    return [replace(interaction, kind="like") for interaction in interactions]


def test_the_public_file(speed_dating_file: Path, engine: Engine) -> None:
    report = speed_dating.load_speed_dating(engine, speed_dating_file)

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
        assert (
            connection.scalar(
                text("SELECT count(*) FROM app.profiles WHERE traits = '{}' AND source_key = ANY (:keys)"),
                {"keys": [f"speed-dating:{iid}" for iid in (58, 59, 136, 339, 340, 346)]},
            )
            == 6
        )
    again = speed_dating.load_speed_dating(engine, speed_dating_file)
    assert (again.profiles_unchanged, again.interactions_unchanged) == (406, 5704)


def test_guest_1_of_the_public_file(speed_dating_file: Path) -> None:
    guest = by_key(speed_dating.read_speed_dating(speed_dating_file))["speed-dating:1"]
    assert guest.gender == "woman"
    assert compute_age(guest.birth_date, date(2002, 10, 16)) == 21
    assert guest.texts == {"What I study": "Law", "What I want to be": "lawyer", "Where I come from": "Chicago"}
    assert guest.facts == {
        "field": "law",
        "goal": "to meet new people",
        "race": "Asian, Pacific Islander or Asian American",
    }
    assert guest.wants == {
        **named("attractive sincere intelligent fun ambitious", 0.15, 0.2, 0.2, 0.15, 0.15),
        **named("shared_interests same_race same_religion", 0.15, 0.2, 0.4),
    }
    assert {name: guest.traits[name] for name in ("attractive", "income", "goes_out", "they_want_attractive")} == {
        **named("attractive income goes_out they_want_attractive", 6.0, 69487.0, 7.0, 0.35),
    }
    assert "peers_want_attractive" not in guest.traits, "it was not asked in wave 1"


def test_every_value_of_the_public_file_is_on_its_scale(speed_dating_file: Path) -> None:
    people = list(speed_dating.read_speed_dating(speed_dating_file).people)
    wanted = [sum(value for name, value in person.wants.items() if not name.startswith("same_")) for person in people]
    assert Counter(round(total, 9) for total in wanted) == {1.0: 399, 0.0: 7}
    ratings = {*ACTIVITIES, "attractive", "sincere", "intelligent", "fun", "ambitious", "exphappy"}
    assert all(0 <= person.traits[name] <= 10 for person in people for name in ratings & set(person.traits))
    assert "Ecole Normale Supérieure, Paris" in {person.texts.get("Where I studied") for person in people}


@pytest.fixture(scope="module")
def public_rows(speed_dating_file: Path) -> list[dict[str, str]]:
    with speed_dating_file.open(encoding="mac_roman", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("how", ["shuffled", "blank", "nonsense", "absent"])
def test_nothing_after_the_event_reaches_a_profile(
    speed_dating_file: Path, public_rows: list[dict[str, str]], tmp_path: Path, how: str
) -> None:
    after = [name for name in public_rows[0] if name not in BEFORE_THE_EVENT]
    assert len(after) > 100
    assert {"match", "dec", "dec_o", "like", "prob", "int_corr", "samerace", "attr1_s", "attr3_2", "age_o"} <= set(
        after
    )
    changed = [dict(cells) for cells in public_rows]
    for name in after:
        values = [cells.pop(name) for cells in changed]
        if how != "absent":
            random.Random(name).shuffle(values)  # noqa: S311
            for cells, value in zip(changed, values, strict=True):
                cells[name] = {"shuffled": value, "blank": "", "nonsense": "?!"}[how]

    original, scrambled = speed_dating.read_speed_dating(speed_dating_file), read(tmp_path, *changed)

    assert scrambled.people == original.people
    if how == "shuffled":
        assert pair_and_moment(scrambled.interactions) == pair_and_moment(original.interactions)
        assert scrambled.interactions != original.interactions
    else:
        assert scrambled.interactions == []


def test_only_the_own_decision_tells_a_like_from_a_pass(
    speed_dating_file: Path, public_rows: list[dict[str, str]], tmp_path: Path
) -> None:
    changed = [
        {name: cell if name in BEFORE_THE_EVENT or name == "dec" else "1" for name, cell in cells.items()}
        for cells in public_rows
    ]
    assert read(tmp_path, *changed).interactions == speed_dating.read_speed_dating(speed_dating_file).interactions
