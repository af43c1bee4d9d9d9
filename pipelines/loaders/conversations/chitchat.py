"""Load the conversations of the Chit Chat Challenge (MIT licence) from the installed package `chitchat-dataset`.

The data are of real people. Only who wrote, when, and how many characters are read into the app tables: no text, and
of the people nothing but a number. Profiles need a birth date and a gender; both are placeholders, and the profiles
look for nobody, so that they are nobody's candidates.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from models.db.errors import InputError
from pipelines.loaders.app_tables import fill_app_tables
from pipelines.loaders.conversations.conversation_records import ConversationRecord, ConversationSource, MessageRecord
from pipelines.loaders.records import LoadReport, Person, Refusal

PACKAGE = "chitchat_dataset"
PLACEHOLDER_BIRTH_DATE = date(1990, 1, 1)
UNREADABLE = "conversation that is not as in the package of 2019"


def load_chitchat(engine: Engine) -> LoadReport:
    """Load all conversations of the installed package; see `read_chitchat`.

    Raises:
        InputError: The package is missing or its file cannot be read.
        DatabaseUnavailable: The server was lost; nothing is written.
    """
    source = read_chitchat(find_chitchat_file())
    people = sorted({key for each in source.conversations for key in each.person_keys})
    report = fill_app_tables(engine, map(_make_person, people), (), conversations=source)
    return replace(report, notes=source.notes)


def find_chitchat_file(package: str = PACKAGE) -> Path:
    """Find the data file of the installed package.

    Raises:
        InputError: The package is missing.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise InputError("the package chitchat-dataset is not installed; run: pip install chitchat-dataset")
    return Path(found.origin).with_name("dataset.json")


def read_chitchat(file: Path) -> ConversationSource:
    """Read the conversations of the package's file.

    A match is at the first message. Senders are numbered. The file does not say to whom a conversation of one sender
    was addressed: its other person gets a profile of its own. The clock of the file has seconds; messages get a
    microsecond each, so that their order stays.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        items = content.items()
    except (OSError, ValueError, AttributeError) as error:
        # No cause: a parser's error may quote what somebody wrote.
        raise InputError(f"{file} cannot be read; install chitchat-dataset again") from (
            error if isinstance(error, OSError) else None
        )
    numbers = {sender: number for number, sender in enumerate(sorted(_collect_senders(content.values())))}
    parsed = [_parse_conversation(number, each, numbers) for number, (_, each) in enumerate(items)]
    conversations = [each for each in parsed if isinstance(each, ConversationRecord)]
    refused = Counter(each.reason for each in parsed if isinstance(each, Refusal))
    silent = sum("silent" in each.person_keys[1] for each in conversations)
    note = f"{silent:,} conversations have one sender; the other person got a profile of their own"
    return ConversationSource(conversations, refused=refused, notes=(note,) if silent else ())


def _collect_senders(conversations: Iterable[Any]) -> set[str]:
    senders: set[str] = set()
    for each in conversations:
        try:
            senders |= {str(message["sender"]) for turn in each["messages"] for message in turn}
        except (KeyError, TypeError):
            continue  # it is refused when it is parsed
    return senders


def _parse_conversation(
    number: int, each: Mapping[str, Any], numbers: Mapping[str, int]
) -> ConversationRecord | Refusal:
    try:
        rows = [_parse_message(row, numbers) for turn in each["messages"] for row in turn]
    except (KeyError, TypeError, ValueError):
        return Refusal(UNREADABLE)
    senders = list(dict.fromkeys(sender for sender, _, _ in rows))
    if not 1 <= len(senders) <= 2:
        return Refusal("conversation without messages, or of more than two people")
    people = (senders[0], senders[1] if len(senders) == 2 else f"chitchat:silent-{number}")
    messages = [
        MessageRecord(index, sender, moment + timedelta(microseconds=index), length=length)
        for index, (sender, moment, length) in enumerate(rows, start=1)
    ]
    return ConversationRecord(f"chitchat:{number}", people, messages[0].sent_at, messages=messages)


def _parse_message(row: Mapping[str, Any], numbers: Mapping[str, int]) -> tuple[str, datetime, int]:
    """Return the source key of the sender, the moment, and the number of characters."""
    moment = datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
    return f"chitchat:{numbers[str(row['sender'])]}", moment, len(row["text"])


def _make_person(key: str) -> Person:
    return Person(key, display_name=key, birth_date=PLACEHOLDER_BIRTH_DATE, gender="unknown", seeks=())
