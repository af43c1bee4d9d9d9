"""Public conversations and test suites, which are not in the repository."""

import csv
import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[5] / "shared" / "data" / "conversations"


def require_public_file(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"needs the public file ../shared/data/conversations/{name}")
    return path


@pytest.fixture(scope="session")
def chat() -> list[str]:
    """The messages of the test part of CaSiNo (Chawla et al. 2021), without the forms that end a deal."""
    dialogues = json.loads(require_public_file("casino/casino_test.json").read_text(encoding="utf-8"))
    texts = [message["text"] for each in dialogues for message in each["chat_logs"]]
    return [text for text in texts if not re.match(r"(Submit|Accept|Reject)-Deal|Walk-Away", text)]


@pytest.fixture(scope="session")
def suite_sentences() -> list[str]:
    """The sentences of HateCheck (Röttger et al. 2021), all of them English."""
    with require_public_file("hatecheck/test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        return [row["test_case"] for row in csv.DictReader(file)]


@pytest.fixture(scope="session")
def text_messages() -> list[tuple[str, str]]:
    """The SMS Spam Collection (Almeida et al. 2011): `ham` or `spam`, and the text."""
    lines = require_public_file("sms_spam/SMSSpamCollection").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t", 1) for line in lines[1:]]
    return [(label, text) for label, text in rows]
