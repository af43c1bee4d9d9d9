import csv
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from pipelines.loaders.okcupid import load_okcupid, read_okcupid
from pipelines.loaders.records import Person, Refusal, Source, compute_age
from pipelines.loaders.refusals import check_people
from tests.pipelines.loaders.conftest import public_file

ROW = {
    "age": "22", "sex": "m", "orientation": "straight", "height": "75", "income": "20000", "status": "single",
    "body_type": "a little extra", "diet": "strictly anything", "drinks": "socially", "smokes": "no", "drugs": "never",
    "education": "working on college/university", "job": "rather not say", "ethnicity": "asian, white", "pets": "",
    "offspring": "doesn&rsquo;t have kids, but might want them", "sign": "gemini and it&rsquo;s fun to think about",
    "religion": "agnosticism and very serious about it", "speaks": "english (fluently), english, c++ (poorly)",
}  # fmt: skip
KEPT = ("status", "education", "ethnicity", "body_type", "diet", "drinks", "smokes", "drugs")
OFFSPRING = "doesn\u2019t have kids, but might want them"
PERSON = Person(
    *("okcupid:1", "Member 1", date(1989, 12, 31), "man", ("woman",)),
    texts={
        "About me": "I am single. My education: working on college/university. My build: a little extra. "
        "I eat strictly anything. I drink socially. Do I smoke? no. Drugs: never. "
        f"Children: {OFFSPRING}. My religion: agnosticism. My sign: gemini. I speak english, c++."
    },
    interests=("speaks english", "speaks c++"),
    traits={"religion_seriousness": 4, "sign_seriousness": 2, "height_cm": 190.5, "income": 20000.0},
    facts={name: ROW[name] for name in KEPT} | {"offspring": OFFSPRING, "religion": "agnosticism", "sign": "gemini"},
)
SILENT = Person("okcupid:1", "Member 1", PERSON.birth_date, "man", ("woman",))
NO_ANSWERS = ["NA", "nan", "None", "none", "NULL", "?", "<NA>", "&lt;NA&gt;", "#N/A", "n/a", " - ", "\u2014", "#REF!"]


def write(path: Path, *changes: dict[str, str]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerows(ROW | change for change in changes)
    return path


def read(folder: Path, *changes: dict[str, str]) -> Source:
    return read_okcupid(write(folder / "profiles.csv", *changes))


def test_a_row_becomes_a_profile(tmp_path: Path) -> None:
    source = read(tmp_path, {})
    assert source.people == [PERSON]
    assert source.refused == {}


def test_no_answer_is_left_out_and_counted_if_a_word_says_so(tmp_path: Path) -> None:
    words = {*ROW} - {"age", "sex", "orientation"}
    blank = dict.fromkeys(words, "") | {"income": "-1"}
    source = read(tmp_path, blank, *(dict.fromkeys(words, marker) for marker in NO_ANSWERS))
    said = [replace(person, source_key="okcupid:1", display_name="Member 1") for person in source.people]
    assert said == [SILENT] * (1 + len(NO_ANSWERS))
    assert source.refused == {}
    assert source.no_answers == dict.fromkeys(words, len(NO_ANSWERS))


def test_no_answer_among_answers_is_left_out_and_counted(tmp_path: Path) -> None:
    for marker in NO_ANSWERS:
        composite = {
            "speaks": f"english (okay), {marker}, {marker} (fluently), rather not say",
            "ethnicity": f"asian, {marker}",
            "pets": f"{marker} and has cats",
            "religion": f"{marker} and very serious about it",
            "sign": f"{marker} but it doesn&rsquo;t matter",
        }
        source = read(tmp_path, composite)
        [person] = source.people
        assert person.interests == ("speaks english",)
        assert (person.facts["ethnicity"], person.facts["pets"]) == ("asian", "has cats")
        assert not {"religion", "sign"} & set(person.facts)
        assert not {"religion_seriousness", "sign_seriousness"} & set(person.traits)
        assert person.texts["About me"].endswith("Pets: has cats. I speak english.")
        assert source.no_answers == {"speaks": 2, "ethnicity": 1, "pets": 1, "religion": 1, "sign": 1}


def test_sex_and_orientation_say_who_is_sought(tmp_path: Path) -> None:
    said = [{"sex": sex, "orientation": each} for each in ("straight", "gay", "bisexual") for sex in ("m", "f")]
    people = read(tmp_path, *said).people
    assert [person.gender for person in people] == ["man", "woman"] * 3
    seeks = [("woman",), ("man",), ("man",), ("woman",), ("woman", "man"), ("woman", "man")]
    assert [person.seeks for person in people] == seeks


def test_seriousness_is_separated_from_the_fact(tmp_path: Path) -> None:
    endings = {
        "religion": ["and laughing", "but not too serious", "and somewhat serious", "and very serious"],
        "sign": ["but it doesn&rsquo;t matter", "and it&rsquo;s fun to think about", "and it matters a lot"],
    }
    endings["religion"] = [f"{each} about it" for each in endings["religion"]]
    for column, said in endings.items():
        people = read(tmp_path, {column: "leo"}, *({column: f"leo {ending}"} for ending in said)).people
        assert {person.facts[column] for person in people} == {"leo"}
        degrees = [person.traits.get(f"{column}_seriousness") for person in people]
        assert degrees == [None, *range(1, 1 + len(said))]


def test_implausible_rows_are_refused_and_others_keep_their_number(tmp_path: Path) -> None:
    source = read(
        tmp_path,
        *({"age": "17"}, {"age": "101"}, {"age": "old"}, {"height": "47"}, {"height": "85"}),
        *({"age": "18", "height": "48"}, {"age": "100", "height": "84"}),
        *({"sex": "x"}, {"orientation": ""}),
    )
    assert [person.source_key for person in source.people] == ["okcupid:6", "okcupid:7"]
    assert [compute_age(person.birth_date, date(2012, 6, 30)) for person in source.people] == [18, 100]
    assert source.refused == {
        "under 18 in June 2012": 1,
        "over 100 in June 2012": 1,
        "age unknown": 1,
        "height not from 48 to 84 inches": 2,
        "sex or orientation unknown": 2,
    }


def test_a_second_load_changes_nothing(tmp_path: Path, engine: Engine) -> None:
    path = write(tmp_path / "profiles.csv", {"drinks": "NA"}, {"age": "17"}, {"sex": "f", "drinks": "?"})
    first, second = (load_okcupid(engine, path) for _ in range(2))
    assert (first.profiles_added, second.profiles_added, second.profiles_unchanged) == (2, 0, 2)
    assert first.refused == second.refused == {"under 18 in June 2012": 1}
    assert first.no_answers == {"drinks": 2}


def test_the_public_file() -> None:
    source = read_okcupid(public_file("okcupid_profiles_revised.csv.zip"))
    assert len(source.people) == 59_792
    assert source.refused == {
        "under 18 in June 2012": 94,
        "over 100 in June 2012": 2,
        "height not from 48 to 84 inches": 58,
    }
    assert not any(isinstance(each, Refusal) for each in check_people(source.people))
    said = (each for person in source.people for each in (*person.facts.values(), *person.texts.values()))
    assert not any(re.search("&.*;", each) for each in said)
    assert Counter(person.facts.get("religion") for person in source.people) == {
        None: 20171, "agnosticism": 8788, "other": 7725, "atheism": 6968, "christianity": 5769,
        "catholicism": 4751, "judaism": 3092, "buddhism": 1943, "hinduism": 449, "islam": 136,
    }  # fmt: skip
