"""ChitChat: the file's form by hand, and the known counts of the installed package. No text and no id is shown."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from models.db.errors import InputError
from pipelines.loaders.conversations import chitchat
from pipelines.loaders.conversations.chitchat import UNREADABLE, find_chitchat_file, load_chitchat, read_chitchat


def say(sender: str, second: int, words: str) -> dict[str, str]:
    return {"sender": sender, "timestamp": f"2018-05-01T10:00:{second:02d}Z", "text": words}


def write(folder: Path, *conversations: object) -> Path:
    file = folder / "dataset.json"
    file.write_text(json.dumps({f"key-{n}": each for n, each in enumerate(conversations)}))
    return file


TALK = {"messages": [[say("y", 1, "secret"), say("y", 1, "é")], [say("x", 1, "")]], "prompt": "p", "start": "s"}


def test_only_who_when_and_how_much_is_read(tmp_path: Path) -> None:
    (found,) = read_chitchat(write(tmp_path, TALK)).conversations
    assert found.person_keys == ("chitchat:1", "chitchat:0")
    assert not found.content_allowed
    assert [(each.sender_key, each.length, each.body) for each in found.messages] == [
        ("chitchat:1", 6, None),
        ("chitchat:1", 1, None),
        ("chitchat:0", 0, None),
    ]
    moments = [each.sent_at for each in found.messages]
    assert moments == sorted(set(moments))  # one second, and the order of the file
    assert found.matched_at == moments[0] == datetime(2018, 5, 1, 10, 0, 1, 1, tzinfo=UTC)


def test_other_shapes_are_refused_and_a_silent_person_is_one_of_their_own(tmp_path: Path) -> None:
    alone = {"messages": [[say("x", 1, "hello")]]}
    crowd = {"messages": [[say(name, 1, "hello")] for name in "xyz"]}
    late = {"messages": [[say("x", 1, "hello") | {"timestamp": "yesterday"}]]}
    source = read_chitchat(write(tmp_path, alone, alone, crowd, late, {"messages": []}, {}, None))
    assert [each.person_keys[1] for each in source.conversations] == ["chitchat:silent-0", "chitchat:silent-1"]
    assert source.refused == {"conversation without messages, or of more than two people": 2, UNREADABLE: 3}
    assert len(source.notes) == 1


@pytest.mark.parametrize("content", ["secret {", "[1]", None])
def test_a_file_that_cannot_be_read_is_named_without_its_words(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "dataset.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=str(file)) as error:
        read_chitchat(file)
    assert "secret" not in str(error.value) + str(error.value.__cause__)


def test_a_missing_package_is_named_with_what_to_do() -> None:
    with pytest.raises(InputError, match="pip install chitchat-dataset"):
        find_chitchat_file("chitchat_dataset_that_is_not_there")


def test_a_load_writes_numbers_and_no_words(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Engine = create_engine(database_url, poolclass=NullPool)
    monkeypatch.setattr(chitchat, "find_chitchat_file", lambda: write(tmp_path, TALK))
    first, second = load_chitchat(engine), load_chitchat(engine)
    assert (first.profiles_added, first.conversations["conversations"], first.conversations["messages"]) == (
        2,
        (1, 0, 0),
        (3, 0, 0),
    )
    assert (second.profiles_unchanged, second.conversations["messages"]) == (2, (0, 0, 3))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM app.message_texts")).scalar_one() == 0
        assert connection.execute(text("SELECT sum(length) FROM app.messages")).scalar_one() == 7
        names = connection.execute(text("SELECT DISTINCT display_name FROM app.profiles ORDER BY 1")).scalars().all()
    assert names == ["chitchat:0", "chitchat:1"]


def test_the_installed_package_has_the_known_counts() -> None:
    pytest.importorskip("chitchat_dataset", reason="needs the package chitchat-dataset")
    source = read_chitchat(find_chitchat_file())
    people = {key for each in source.conversations for key in each.person_keys}
    counts = (
        len(source.conversations),
        sum(len(each.messages) for each in source.conversations),
        sum("silent" not in key for key in people),
        sum("silent" in key for key in people),
    )
    assert counts == (7_168, 258_145, 1_315, 3_150)
    assert not source.refused
    assert all(message.body is None for each in source.conversations for message in each.messages)
