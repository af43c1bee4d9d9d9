"""Load the OkCupid profiles of June 2012 (Kim and Escobedo-Land, J. Stat. Educ. 2015) in their anonymised revision.

The file contains no names, places, essays or interactions. To have a text to embed, the loader renders one from the
answers under the prompt `ABOUT`. The text omits ethnicity: the ranker excludes it, and the text would bring it back.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from pipelines.loaders import app_tables
from pipelines.loaders.csv_files import is_blank, parse_whole_number, read_rows
from pipelines.loaders.records import LoadReport, Person, Source, estimate_birth_date

SNAPSHOT = date(2012, 6, 30)
MIN_AGE, MAX_AGE = 18, 100
MIN_HEIGHT, MAX_HEIGHT = 48, 84  # inches
CM_PER_INCH = 2.54
GENDERS = {"f": "woman", "m": "man"}
ORIENTATIONS = ("straight", "gay", "bisexual")
BLANK_ANSWERS = ("", "rather not say", "unknown")
PARTS = re.compile(", | and ")
ABOUT = "About me"

SENTENCES = {
    "status": "I am {}.",
    "job": "My work: {}.",
    "education": "My education: {}.",
    "body_type": "My build: {}.",
    "diet": "I eat {}.",
    "drinks": "I drink {}.",
    "smokes": "Do I smoke? {}.",
    "drugs": "Drugs: {}.",
    "offspring": "Children: {}.",
    "pets": "Pets: {}.",
    "religion": "My religion: {}.",
    "sign": "My sign: {}.",
}
"""The columns that become facts and appear in the text, each with its sentence."""

FACTS = (*SENTENCES, "ethnicity")

SERIOUSNESS = {
    "religion": {
        " and laughing about it": 1,
        " but not too serious about it": 2,
        " and somewhat serious about it": 3,
        " and very serious about it": 4,
    },
    "sign": {" but it doesn\u2019t matter": 1, " and it\u2019s fun to think about": 2, " and it matters a lot": 3},
}
COLUMNS = ("age", "sex", "orientation", "height", "income", "speaks", *FACTS)


def load_okcupid(engine: Engine, path: Path) -> LoadReport:
    """Load the profiles that `read_okcupid` reads.

    Raises:
        InputError: The file cannot be used.
        DatabaseUnavailable: The server was lost; nothing is written.
    """
    source = read_okcupid(path)
    report = app_tables.fill_app_tables(engine, source.people, source.interactions, source.refused)
    return replace(report, no_answers=source.no_answers)


def read_okcupid(path: Path) -> Source:
    """Read the people from the CSV file or from a zip archive that holds it, lazily.

    Each person's number is that of their row, counting refused rows. People under 18 or over 100 years, or not 48 to 84
    inches tall, are refused.

    Raises:
        InputError: The file cannot be used.
    """
    refused, no_answers = Counter[str](), Counter[str]()
    numbered = read_rows(path, COLUMNS, (), ("utf-8-sig",), refused, no_answers)
    return Source(_iterate_people(numbered, refused, no_answers), (), refused, no_answers=no_answers)


def _iterate_people(
    numbered: Iterable[tuple[int, dict[str, str]]], refused: Counter[str], no_answers: Counter[str]
) -> Iterator[Person]:
    for number, cells in numbered:
        answers = {column: html.unescape(cell).strip() for column, cell in cells.items()}
        fault = _find_fault(answers)
        if fault is None:
            yield _make_person(number, answers, no_answers)
        else:
            refused[fault] += 1


def _find_fault(answers: Mapping[str, str]) -> str | None:
    if answers["sex"] not in GENDERS or answers["orientation"] not in ORIENTATIONS:
        return "sex or orientation unknown"
    age, height = parse_whole_number(answers["age"]), parse_whole_number(answers["height"])
    if age is None:
        return "age unknown"
    if age < MIN_AGE:
        return f"under {MIN_AGE} in June 2012"
    if age > MAX_AGE:
        return f"over {MAX_AGE} in June 2012"
    if height is not None and not MIN_HEIGHT <= height <= MAX_HEIGHT:
        return f"height not from {MIN_HEIGHT} to {MAX_HEIGHT} inches"
    return None


def _make_person(number: int, answers: Mapping[str, str], no_answers: Counter[str]) -> Person:
    facts, seriousness = _parse_facts(answers, no_answers)
    languages = _parse_languages(answers["speaks"], no_answers)
    return Person(
        source_key=f"okcupid:{number}",
        display_name=f"Member {number}",
        birth_date=estimate_birth_date(parse_whole_number(answers["age"]) or 0, SNAPSHOT),
        gender=GENDERS[answers["sex"]],
        seeks=_parse_seeks(answers["sex"], answers["orientation"]),
        texts=_write_about(facts, languages),
        interests=tuple(f"speaks {language}" for language in languages),
        traits={**seriousness, **_parse_measures(answers)},
        facts=facts,
    )


def _parse_seeks(sex: str, orientation: str) -> tuple[str, ...]:
    wanted = {"straight": "m" if sex == "f" else "f", "gay": sex, "bisexual": "fm"}[orientation]
    return tuple(GENDERS[sex] for sex in wanted)


def _parse_facts(answers: Mapping[str, str], no_answers: Counter[str]) -> tuple[dict[str, str], dict[str, float]]:
    """Return the facts, and separately how serious the person is about them, from 1."""
    facts: dict[str, str] = {}
    seriousness: dict[str, float] = {}
    for column in FACTS:
        said, degree = _split_seriousness(column, answers[column])
        fact = _remove_no_answers(column, said, no_answers)
        if fact not in BLANK_ANSWERS:
            facts[column] = fact
            seriousness |= {} if degree is None else {f"{column}_seriousness": degree}
    return facts, seriousness


def _split_seriousness(column: str, answer: str) -> tuple[str, float | None]:
    for ending, degree in SERIOUSNESS.get(column, {}).items():
        if answer.endswith(ending):
            return answer.removesuffix(ending), degree
    return answer, None


def _remove_no_answers(column: str, answer: str, no_answers: Counter[str]) -> str:
    """Remove the parts that are no answer: `asian, NA` → asian. Other answers stay unchanged."""
    parts = PARTS.split(answer) if answer else []
    kept = [part for part in parts if not is_blank(part)]
    no_answers.update([column] * (len(parts) - len(kept)))
    return answer if len(kept) == len(parts) else ", ".join(kept)


def _parse_measures(answers: Mapping[str, str]) -> dict[str, float]:
    """Return height in cm and yearly income, each only if given. In the file, -1 is an unknown income."""
    height, income = parse_whole_number(answers["height"]), parse_whole_number(answers["income"])
    return {
        **({} if height is None else {"height_cm": round(height * CM_PER_INCH, 1)}),
        **({} if income is None or income < 0 else {"income": float(income)}),
    }


def _parse_languages(speaks: str, no_answers: Counter[str]) -> tuple[str, ...]:
    """Return the names of the languages: `english (fluently), english, c++, NA` → english, c++."""
    names = [language.partition(" (")[0].strip() for language in speaks.split(",")]
    no_answers.update("speaks" for name in filter(None, names) if is_blank(name))
    return tuple(dict.fromkeys(name for name in names if name not in BLANK_ANSWERS and not is_blank(name)))


def _write_about(facts: Mapping[str, str], languages: tuple[str, ...]) -> dict[str, str]:
    sentences = [sentence.format(facts[column]) for column, sentence in SENTENCES.items() if column in facts]
    if languages:
        sentences.append(f"I speak {', '.join(languages)}.")
    return {ABOUT: " ".join(sentences)} if sentences else {}
