"""The public data that the classifiers of flags are trained on: ConvAbuse, CaSiNo, SMS Spam, Davidson and HateCheck.

A folder holds one folder for each, with the files as their authors publish them. Nothing is copied from it.
"""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from models.db.errors import InputError

CONVABUSE, CASINO, SMS = "convabuse/{}.csv", "casino/casino_{}.json", "sms_spam/SMSSpamCollection"
DAVIDSON, HATECHECK = "davidson/labeled_data.csv", "hatecheck/test_suite_cases.csv"
# Columns of each annotator, such as Annotator3_is_abuse.-1: how abusive a message is, and whether it is not.
ABUSIVE, NOT_ABUSIVE, _CLEAN = (".-1", ".-2", ".-3"), (".1", ".0"), "_is_abuse.1"
# Forms of the negotiation, which nobody wrote.
_FORM = re.compile(r"(Submit|Accept|Reject)-Deal|Walk-Away")
Labelled = list[tuple[str, bool]]
"""Texts, each with whether it should be flagged."""
Read = TypeVar("Read")


@dataclass(frozen=True)
class SuiteCase:
    """A sentence of a test suite."""

    text: str
    function: str
    hateful: bool


def read_convabuse(folder: Path, part: str) -> Labelled:
    """Read what users wrote to chat bots (Cercas Curry et al. 2021); abusive if most annotators said so.

    Raises:
        InputError: A file is missing or is not as published; so of the functions below.
    """
    return _read(folder / CONVABUSE.format(part), lambda path: [(row["user"], _is_abuse(row)) for row in _rows(path)])


def read_casino(folder: Path, part: str) -> list[str]:
    """Read messages of negotiations among strangers (Chawla et al. 2021), all of them ordinary."""
    return _read(folder / CASINO.format(part), _read_dialogues)


def read_sms(folder: Path) -> Labelled:
    """Read text messages (Almeida et al. 2011), with whether they advertise."""
    return _read(folder / SMS, _read_lines)


def read_davidson(folder: Path) -> Labelled:
    """Read tweets (Davidson et al. 2017), with whether they are hateful or offensive."""
    return _read(folder / DAVIDSON, lambda path: [(row["tweet"], row["class"] != "2") for row in _rows(path)])


def read_hatecheck(folder: Path) -> list[SuiteCase]:
    """Read the functional tests of HateCheck (Röttger et al. 2021)."""
    return _read(folder / HATECHECK, _read_cases)


def _read(path: Path, reader: Callable[[Path], Read]) -> Read:
    if not path.is_file():
        raise InputError(f"{path} is missing; the folder must hold the public data sets that docs/model-card.md names")
    try:
        return reader(path)
    except (KeyError, ValueError, TypeError, csv.Error):  # their messages may quote a row
        raise InputError(f"{path} is not as its authors published it; download it again") from None


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _is_abuse(row: dict[str, str]) -> bool:
    names = [name.removesuffix(".1") for name in row if name.endswith(_CLEAN)]
    voted = [name for name in names if any(row[f"{name}{level}"] for level in (*ABUSIVE, *NOT_ABUSIVE))]
    # Who was asked twice about a message has two numbers in a cell, such as "0, 1".
    said = ["1" in "".join(row[f"{name}{level}"] for level in ABUSIVE) for name in voted]
    return 2 * sum(said) > len(said)


def _read_dialogues(path: Path) -> list[str]:
    dialogues = json.loads(path.read_text(encoding="utf-8"))
    texts = [message["text"] for each in dialogues for message in each["chat_logs"]]
    return [text for text in texts if not _FORM.match(text)]


def _read_lines(path: Path) -> Labelled:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [(text, label == "spam") for label, text in (line.split("\t", 1) for line in lines)]


def _read_cases(path: Path) -> list[SuiteCase]:
    return [SuiteCase(row["test_case"], row["functionality"], row["label_gold"] == "hateful") for row in _rows(path)]
