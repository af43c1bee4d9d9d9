"""Load the OkCupid profiles of June 2012 (Kim and Escobedo-Land, J. Stat. Educ. 2015) in their anonymised revision.

The file has neither names nor places, essays or interactions. So that there is a text to embed, one is rendered from
the answers, under the prompt `ABOUT`; ethnicity is not among them, as the ranker leaves it out and a text would bring
it back.
"""

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from pipelines.loaders import app_tables
from pipelines.loaders.csv_files import rows, whole
from pipelines.loaders.records import LoadReport, Person, Source, birth_date_of

SNAPSHOT = date(2012, 6, 30)
YOUNGEST, OLDEST = 18, 100
SHORTEST, TALLEST = 48, 84  # inches
CM_PER_INCH = 2.54
GENDERS = {"f": "woman", "m": "man"}
ORIENTATIONS = ("straight", "gay", "bisexual")
UNSAID = ("", "rather not say", "unknown")
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
    return app_tables.fill(engine, source.people, source.interactions, source.refused)


def read(path: Path) -> Source:
    """The people in the file, a zip archive or the CSV itself, read as they are asked for; raises InputError.

    A person's number is that of their row, refused rows included. Whoever is under 18 or over 100, or not 48 to 84
    inches tall, is refused.
    """
    refused: Counter[str] = Counter()
    return Source(_people(rows(path, COLUMNS, (), ("utf-8-sig",), refused), refused), (), refused)


def _people(numbered: Iterable[tuple[int, dict[str, str]]], refused: Counter[str]) -> Iterator[Person]:
    for number, cells in numbered:
        answers = {column: html.unescape(cell).strip() for column, cell in cells.items()}
        fault = _fault(answers)
        if fault is None:
            yield _person(number, answers)
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


def _person(number: int, answers: Mapping[str, str]) -> Person:
    facts, seriousness = _facts(answers)
    languages = _languages(answers["speaks"])
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


def _facts(answers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, float]]:
    """What was said, and how serious about it, from 1, apart."""
    facts = {column: answers[column] for column in FACTS if answers[column] not in UNSAID}
    seriousness: dict[str, float] = {}
    for column, endings in SERIOUSNESS.items():
        for ending, degree in endings.items():
            if facts.get(column, "").endswith(ending):
                facts[column] = facts[column].removesuffix(ending)
                seriousness[f"{column}_seriousness"] = degree
    return facts, seriousness


def _measures(answers: Mapping[str, str]) -> dict[str, float]:
    """Height and yearly income, each only where it was given: an unknown income is -1 in the file."""
    height, income = whole(answers["height"]), whole(answers["income"])
    return {
        **({} if height is None else {"height_cm": round(height * CM_PER_INCH, 1)}),
        **({} if income is None or income < 0 else {"income": float(income)}),
    }


def _languages(speaks: str) -> tuple[str, ...]:
    """`english (fluently), english, c++` → english, c++."""
    names = (language.partition(" (")[0].strip() for language in speaks.split(","))
    return tuple(dict.fromkeys(filter(None, names)))


def _about(facts: Mapping[str, str], languages: tuple[str, ...]) -> dict[str, str]:
    sentences = [sentence.format(facts[column]) for column, sentence in SENTENCES.items() if column in facts]
    if languages:
        sentences.append(f"I speak {', '.join(languages)}.")
    return {ABOUT: " ".join(sentences)} if sentences else {}
