"""Rules that flag messages: known answers, ordinary messages, and direct threats of a public suite."""

import csv
import json
from pathlib import Path

import pytest

from models.ml.conversations.flags.rules import match_rules

FOLDER = Path(__file__).resolve().parents[5] / "shared" / "data" / "conversations"
KNOWN = {
    "I will kill you": ["threat"],
    "someone should shoot that idiot": ["threat"],
    "kill yourself": ["threat"],
    "I could kill for a pizza": [],
    "you will love this film": [],
    "it is the death of me": [],
    "I'm 15": ["under_age"],
    "im actually 20": [],
    "I am sixteen years old": ["under_age"],
    "I'm 15 minutes away": [],
    "I am 17 km from you": [],
    "Ich bin erst 16": ["under_age"],
    "Ich bin 16 km weg": [],
    "can you send me 200 dollars for the visa": ["scam"],
    "buy me a gift card": ["scam"],
    "I sent you a card": [],
    "": [],
}


def find_public_file(name: str) -> Path:
    if not (path := FOLDER / name).exists():
        pytest.skip(f"needs the public file ../shared/data/conversations/{name}")
    return path


@pytest.mark.parametrize(("body", "kinds"), KNOWN.items())
def test_known_answers(body: str, kinds: list[str]) -> None:
    assert match_rules(body) == kinds


def test_ordinary_messages_are_hardly_flagged() -> None:
    dialogues = json.loads(find_public_file("casino/casino_train.json").read_text(encoding="utf-8"))
    texts = [message["text"] for each in dialogues for message in each["chat_logs"]]
    assert sum(bool(match_rules(text)) for text in texts) <= len(texts) / 1000


def test_direct_threats_of_the_suite_are_found() -> None:
    with find_public_file("hatecheck/test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        threats = [row["test_case"] for row in csv.DictReader(file) if row["functionality"] == "threat_dir_h"]
    assert sum("threat" in match_rules(text) for text in threats) >= 0.45 * len(threats)
