import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from models.db.errors import InputError
from pipelines.loaders import okcupid
from pipelines.loaders.records import Person, compute_age

ROW = {
    "age": "22",
    "body_type": "a little extra",
    "diet": "strictly anything",
    "drinks": "socially",
    "drugs": "never",
    "education": "working on college/university",
    "ethnicity": "asian, white",
    "height": "75",
    "income": "20000",
    "job": "rather not say",
    "offspring": "doesn&rsquo;t have kids, but might want them",
    "orientation": "straight",
    "pets": "",
    "religion": "agnosticism and very serious about it",
    "sex": "m",
    "sign": "gemini and it&rsquo;s fun to think about",
    "smokes": "no",
    "speaks": "english (fluently), english, c++ (poorly)",
    "status": "single",
}
PERSON = Person(
    source_key="okcupid:1",
    display_name="Member 1",
    birth_date=date(1989, 12, 31),
    gender="man",
    seeks=("woman",),
    texts={
        "About me": "I am single. My education: working on college/university. "
        "My build: a little extra. I eat strictly anything. I drink socially. Do I smoke? no. Drugs: never. "
        "Children: doesn\u2019t have kids, but might want them. My religion: agnosticism. My sign: gemini. "
        "I speak english, c++."
    },
    interests=("speaks english", "speaks c++"),
    traits={"religion_seriousness": 4, "sign_seriousness": 2, "height_cm": 190.5, "income": 20000.0},
    facts={
        "status": "single",
        "education": "working on college/university",
        "ethnicity": "asian, white",
        "body_type": "a little extra",
        "diet": "strictly anything",
        "drinks": "socially",
        "smokes": "no",
        "drugs": "never",
        "offspring": "doesn\u2019t have kids, but might want them",
        "religion": "agnosticism",
        "sign": "gemini",
    },
)


def read(folder: Path, *changes: dict[str, str]) -> tuple[list[Person], Counter[str]]:
    source = okcupid.read_okcupid(write(folder / "profiles.csv", *changes))
    return list(source.people), source.refused


def write(path: Path, *changes: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return path


def test_a_row_becomes_a_profile(tmp_path: Path) -> None:
    assert read(tmp_path, {}) == ([PERSON], Counter())


def test_what_was_not_said_is_left_out(tmp_path: Path) -> None:
    silent = dict.fromkeys(ROW, "") | {
        "age": "22",
        "sex": "m",
        "orientation": "straight",
        "income": "-1",
        "height": "NA",
    }
    [person], _ = read(tmp_path, silent)
    assert person == Person("okcupid:1", "Member 1", PERSON.birth_date, "man", ("woman",))


NO_ANSWERS = ["NA", "nan", "None", "none", "NULL", "?", "<NA>", "&lt;NA&gt;", "#N/A", "n/a", " - ", "\u2014", "#REF!"]


@pytest.mark.parametrize("marker", NO_ANSWERS)
def test_words_that_stand_for_no_answer_are_none_and_counted(tmp_path: Path, marker: str) -> None:
    words = {*ROW} - {"age", "sex", "orientation"}
    source = okcupid.read_okcupid(write(tmp_path / "profiles.csv", dict.fromkeys(words, marker)))
    [person] = source.people
    assert person == Person("okcupid:1", "Member 1", PERSON.birth_date, "man", ("woman",))
    assert source.refused == {}
    assert source.no_answers == dict.fromkeys(words, 1)


@pytest.mark.parametrize("marker", NO_ANSWERS)
def test_no_answer_among_answers_is_left_out_and_counted(tmp_path: Path, marker: str) -> None:
    composite = {
        "speaks": f"english (okay), {marker}, {marker} (fluently), rather not say",
        "ethnicity": f"asian, {marker}",
        "pets": f"{marker} and has cats",
        "religion": f"{marker} and very serious about it",
        "sign": f"{marker} but it doesn&rsquo;t matter",
    }
    source = okcupid.read_okcupid(write(tmp_path / "profiles.csv", composite))
    [person] = source.people
    assert person.interests == ("speaks english",)
    assert (person.facts["ethnicity"], person.facts["pets"]) == ("asian", "has cats")
    assert not {"religion", "sign"} & set(person.facts)
    assert not {"religion_seriousness", "sign_seriousness"} & set(person.traits)
    assert person.texts["About me"].endswith("Pets: has cats. I speak english.")
    assert source.no_answers == {"speaks": 2, "ethnicity": 1, "pets": 1, "religion": 1, "sign": 1}


def test_the_report_of_a_load_counts_no_answers(tmp_path: Path, engine: Engine) -> None:
    report = okcupid.load_okcupid(
        engine, write(tmp_path / "profiles.csv", {"drinks": "NA"}, {"drinks": "?", "smokes": ""})
    )
    assert report.no_answers == {"drinks": 2}


@pytest.mark.parametrize(
    ("sex", "orientation", "gender", "seeks"),
    [
        ("m", "straight", "man", ("woman",)),
        ("f", "straight", "woman", ("man",)),
        ("m", "gay", "man", ("man",)),
        ("f", "gay", "woman", ("woman",)),
        ("m", "bisexual", "man", ("woman", "man")),
        ("f", "bisexual", "woman", ("woman", "man")),
    ],
)
def test_sex_and_orientation_tell_who_is_sought(
    tmp_path: Path, sex: str, orientation: str, gender: str, seeks: tuple[str, ...]
) -> None:
    [person], _ = read(tmp_path, {"sex": sex, "orientation": orientation})
    assert (person.gender, person.seeks) == (gender, seeks)


@pytest.mark.parametrize(
    ("column", "answer", "fact", "degree"),
    [
        ("religion", "islam and laughing about it", "islam", 1),
        ("religion", "other but not too serious about it", "other", 2),
        ("religion", "judaism and somewhat serious about it", "judaism", 3),
        ("religion", "atheism and very serious about it", "atheism", 4),
        ("religion", "buddhism", "buddhism", None),
        ("sign", "leo but it doesn&rsquo;t matter", "leo", 1),
        ("sign", "leo and it&rsquo;s fun to think about", "leo", 2),
        ("sign", "leo and it matters a lot", "leo", 3),
        ("sign", "leo", "leo", None),
    ],
)
def test_seriousness_is_told_apart(tmp_path: Path, column: str, answer: str, fact: str, degree: int | None) -> None:
    [person], _ = read(tmp_path, {column: answer})
    assert person.facts[column] == fact
    assert person.traits.get(f"{column}_seriousness") == degree


def test_implausible_rows_are_refused_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    people, refused = read(
        tmp_path,
        *({"age": "17"}, {"age": "101"}, {"age": "old"}, {"height": "47"}, {"height": "85"}),
        *({"age": "18", "height": "48"}, {"age": "100", "height": "84"}),
        *({"sex": "x"}, {"orientation": ""}),
    )
    assert [person.source_key for person in people] == ["okcupid:6", "okcupid:7"]
    assert [compute_age(person.birth_date, date(2012, 6, 30)) for person in people] == [18, 100]
    assert refused == {
        "under 18 in June 2012": 1,
        "over 100 in June 2012": 1,
        "age unknown": 1,
        "height not from 48 to 84 inches": 2,
        "sex or orientation unknown": 2,
    }


def test_a_second_load_changes_nothing(tmp_path: Path, engine: Engine) -> None:
    path = write(tmp_path / "profiles.csv", {}, {"age": "17"}, {"sex": "f"})
    first, second = (okcupid.load_okcupid(engine, path) for _ in range(2))
    assert (first.profiles_added, second.profiles_added, second.profiles_unchanged) == (2, 0, 2)
    assert first.refused == second.refused == {"under 18 in June 2012": 1}


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "speed_dating.csv"
    path.write_text("iid,age,sex,orientation\n1,20,f,gay\n")
    with pytest.raises(
        InputError, match=r"speed_dating\.csv is not the file expected: it has no column height, income, "
    ):
        okcupid.read_okcupid(path)


def test_the_public_file(okcupid_file: Path, engine: Engine) -> None:
    report = okcupid.load_okcupid(engine, okcupid_file)

    assert report.profiles_added == 59_792
    assert report.interactions_added == 0
    assert report.refused == {
        "under 18 in June 2012": 94,
        "over 100 in June 2012": 2,
        "height not from 48 to 84 inches": 58,
    }
    with engine.connect() as connection:
        entities = text("SELECT count(*) FROM app.profiles WHERE facts::text || texts::text LIKE '%&%;%'")
        assert connection.scalar(entities) == 0
        religion = text("SELECT facts ->> 'religion', count(*) FROM app.profiles GROUP BY 1 ORDER BY 2 DESC")
        assert [tuple(row) for row in connection.execute(religion)] == [
            (None, 20171),
            ("agnosticism", 8788),
            ("other", 7725),
            ("atheism", 6968),
            ("christianity", 5769),
            ("catholicism", 4751),
            ("judaism", 3092),
            ("buddhism", 1943),
            ("hinduism", 449),
            ("islam", 136),
        ]
