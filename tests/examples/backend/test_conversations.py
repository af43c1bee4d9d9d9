"""Messages, consent and the end of a conversation: who reads what, and which words are there for matching."""

from uuid import UUID, uuid4

import pytest

from tests.examples.conftest import Backend
from tests.serving.conftest import Api, Users

TEXTS = "SELECT body FROM app.message_texts"


@pytest.fixture
def talk(backend: Backend, users: Users, pair: tuple[UUID, UUID]) -> str:
    """The path of the conversation of the two."""
    me, man = pair
    users.act(man, "like", me)
    return f"conversations/{backend.decide(me, 'like', man, uuid4())}"


def test_both_read_a_message_that_is_sent_once(backend: Backend, api: Api, pair: tuple[UUID, UUID], talk: str) -> None:
    (me, man), message = pair, uuid4()
    for _ in range(2):
        backend.do(me, "PUT", f"{talk}/messages/{message}", {"body": " שלום, Leo  "})
    for who, mine, turn in ((me, True, "theirs"), (man, False, "mine")):
        (read,) = backend.do(who, "GET", f"{talk}/messages").json()["messages"]
        assert (read["id"], read["mine"], read["body"]) == (str(message), mine, "שלום, Leo")
        assert api.read(who, "conversations")["conversations"][0]["turn"] == turn
    for empty in ("", "  \n ", "a\x00b", "x" * 2001):
        assert backend.ask(me, "PUT", f"{talk}/messages/{uuid4()}", {"body": empty}).status_code == 422


def test_nobody_else_reads_or_writes(backend: Backend, users: Users, pair: tuple[UUID, UUID], talk: str) -> None:
    third, message = users.add(), uuid4()
    backend.do(pair[0], "PUT", f"{talk}/messages/{message}", {"body": "x"})
    for method, path, body in (
        ("GET", "messages", None),
        ("PUT", f"messages/{message}", {"body": "y"}),
        ("PUT", "consent", {"agree": True}),
        ("POST", "close", None),
    ):
        assert backend.ask(third, method, f"{talk}/{path}", body).status_code == 404
    stolen = backend.ask(pair[1], "PUT", f"{talk}/messages/{message}", {"body": "y"})
    assert stolen.status_code == 409, "the other's message is not overwritten"
    assert backend.do(pair[0], "GET", f"{talk}/messages").json()["messages"][0]["body"] == "x"


def test_words_are_for_matching_only_where_both_agree(
    backend: Backend, users: Users, pair: tuple[UUID, UUID], talk: str
) -> None:
    def write(body: str) -> None:
        backend.do(pair[0], "PUT", f"{talk}/messages/{uuid4()}", {"body": body})

    def agree(who: UUID, agrees: bool) -> None:
        backend.do(who, "PUT", f"{talk}/consent", {"agree": agrees})

    write("before")
    agree(pair[0], True)
    write("one of two")
    assert users.connection.execute(TEXTS).fetchall() == []
    agree(pair[1], True)
    write("both")
    assert users.connection.execute(TEXTS).fetchall() == [("both",)]
    assert users.connection.execute("SELECT FROM app.conversations WHERE content_allowed").rowcount == 1
    agree(pair[1], False)
    write("after")
    assert users.connection.execute(TEXTS).fetchall() == []
    assert users.connection.execute("SELECT FROM app.conversations WHERE content_allowed").rowcount == 0
    thread = backend.do(pair[0], "GET", f"{talk}/messages").json()
    assert (thread["i_agree"], thread["both_agree"]) == (True, False)
    assert [each["body"] for each in thread["messages"]] == ["before", "one of two", "both", "after"]


def test_an_end_is_for_both_and_of_an_erasure_nothing_is_left(
    backend: Backend, api: Api, users: Users, pair: tuple[UUID, UUID], talk: str
) -> None:
    message = uuid4()
    backend.do(pair[0], "PUT", f"{talk}/messages/{message}", {"body": "x"})
    backend.do(pair[0], "PUT", f"{talk}/consent", {"agree": True})
    backend.do(pair[0], "POST", f"{talk}/close")
    for who in pair:
        assert api.read(who, "conversations")["conversations"][0]["closed"] is True
        assert backend.ask(who, "PUT", f"{talk}/messages/{uuid4()}", {"body": "y"}).status_code == 409
    backend.do(pair[0], "PUT", f"{talk}/messages/{message}", {"body": "x"})  # repeated, and already sent
    users.erase(pair[1])
    left = "SELECT FROM example_app.words UNION ALL SELECT FROM example_app.consents"
    assert users.connection.execute(left).rowcount == 0
