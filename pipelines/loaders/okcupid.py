"""Load the OkCupid profiles of June 2012 (Kim and Escobedo-Land, J. Stat. Educ. 2015) in their anonymised revision.

The file has neither names nor places, essays or interactions. So that there is a text to embed, one is rendered from
the answers, under the prompt `ABOUT`; ethnicity is not among them, as the ranker leaves it out and a text would bring
it back.
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
from pipelines.loaders.csv_files import is_blank, rows, whole
from pipelines.loaders.records import LoadReport, Person, Source, birth_date_of

SNAPSHOT = date(2012, 6, 30)
YOUNGEST, OLDEST = 18, 100
SHORTEST, TALLEST = 48, 84  # inches
CM_PER_INCH = 2.54
GENDERS = {"f": "woman", "m": "man"}
ORIENTATIONS = ("straight", "gay", "bisexual")
UNSAID = ("", "rather not say", "unknown")
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
"""The columns that become facts and are told in the text, each with its sentence."""

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


def load(engine: Engine, path: Path) -> LoadReport:
    """Load the profiles, as `read` gives them.

    Raises InputError for a file that cannot be used and DatabaseUnavailable, with nothing written, for a lost server.
    """
    source = read(path)
    report = app_tables.fill(engine, source.people, source.interactions, source.refused)
    return replace(report, no_answers=source.no_answers)


def read(path: Path) -> Source:
    """The people in the file, a zip archive or the CSV itself, read as they are asked for; raises InputError.

    A person's number is that of their row, refused rows included. Whoever is under 18 or over 100, or not 48 to 84
    inches tall, is refused.
    """
    refused, no_answers = Counter[str](), Counter[str]()
    numbered = rows(path, COLUMNS, (), ("utf-8-sig",), refused, no_answers)
    return Source(_people(numbered, refused, no_answers), (), refused, no_answers=no_answers)


def _people(
    numbered: Iterable[tuple[int, dict[str, str]]], refused: Counter[str], no_answers: Counter[str]
) -> Iterator[Person]:
    for number, cells in numbered:
        answers = {column: html.unescape(cell).strip() for column, cell in cells.items()}
        fault = _fault(answers)
        if fault is None:
            yield _person(number, answers, no_answers)
        else:
            refused[fault] += 1


def _fault(answers: Mapping[str, str]) -> str | None:
    if answers["sex"] not in GENDERS or answers["orientation"] not in ORIENTATIONS:
        return "sex or orientation unknown"
    age, height = whole(answers["age"]), whole(answers["height"])
    if age is None:
        return "age unknown"
    if age < YOUNGEST:
        return f"under {YOUNGEST} in June 2012"
    if age > OLDEST:
        return f"over {OLDEST} in June 2012"
    if height is not None and not SHORTEST <= height <= TALLEST:
        return f"height not from {SHORTEST} to {TALLEST} inches"
    return None


def _person(number: int, answers: Mapping[str, str], no_answers: Counter[str]) -> Person:
    facts, seriousness = _facts(answers, no_answers)
    languages = _languages(answers["speaks"], no_answers)
    return Person(
        source_key=f"okcupid:{number}",
        display_name=f"Member {number}",
        birth_date=birth_date_of(whole(answers["age"]) or 0, SNAPSHOT),
        gender=GENDERS[answers["sex"]],
        seeks=_seeks(answers["sex"], answers["orientation"]),
        texts=_about(facts, languages),
        interests=tuple(f"speaks {language}" for language in languages),
        traits={**seriousness, **_measures(answers)},
        facts=facts,
    )


def _seeks(sex: str, orientation: str) -> tuple[str, ...]:
    wanted = {"straight": "m" if sex == "f" else "f", "gay": sex, "bisexual": "fm"}[orientation]
    return tuple(GENDERS[sex] for sex in wanted)


def _facts(answers: Mapping[str, str], no_answers: Counter[str]) -> tuple[dict[str, str], dict[str, float]]:
    """What was said, and how serious about it, from 1, apart."""
    facts: dict[str, str] = {}
    seriousness: dict[str, float] = {}
    for column in FACTS:
        said, degree = _seriousness(column, answers[column])
        fact = _without_no_answers(column, said, no_answers)
        if fact not in UNSAID:
            facts[column] = fact
            seriousness |= {} if degree is None else {f"{column}_seriousness": degree}
    return facts, seriousness


def _seriousness(column: str, answer: str) -> tuple[str, float | None]:
    for ending, degree in SERIOUSNESS.get(column, {}).items():
        if answer.endswith(ending):
            return answer.removesuffix(ending), degree
    return answer, None


def _without_no_answers(column: str, answer: str, no_answers: Counter[str]) -> str:
    """`asian, NA` → asian. An answer without such a part stays as it is."""
    parts = PARTS.split(answer) if answer else []
    kept = [part for part in parts if not is_blank(part)]
    no_answers.update([column] * (len(parts) - len(kept)))
    return answer if len(kept) == len(parts) else ", ".join(kept)


def _measures(answers: Mapping[str, str]) -> dict[str, float]:
    """Height and yearly income, each only where it was given: an unknown income is -1 in the file."""
    height, income = whole(answers["height"]), whole(answers["income"])
    return {
        **({} if height is None else {"height_cm": round(height * CM_PER_INCH, 1)}),
        **({} if income is None or income < 0 else {"income": float(income)}),
    }


def _languages(speaks: str, no_answers: Counter[str]) -> tuple[str, ...]:
    """`english (fluently), english, c++, NA` → english, c++."""
    names = [language.partition(" (")[0].strip() for language in speaks.split(",")]
    no_answers.update("speaks" for name in filter(None, names) if is_blank(name))
    return tuple(dict.fromkeys(name for name in names if name not in UNSAID and not is_blank(name)))


def _about(facts: Mapping[str, str], languages: tuple[str, ...]) -> dict[str, str]:
    sentences = [sentence.format(facts[column]) for column, sentence in SENTENCES.items() if column in facts]
    if languages:
        sentences.append(f"I speak {', '.join(languages)}.")
    return {ABOUT: " ".join(sentences)} if sentences else {}
