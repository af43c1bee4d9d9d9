"""Contact details: known answers, and public chat that holds none."""

import pytest

from models.ml.conversations.words.contacts import find_contact

GIVEN = [
    "call me at 212-555-2368", "my number is (415) 867 5309", "+49 170 1234567", "0170 1234567",
    "text 07911 123456 please",
    "mail me: anna.b@gmail.com", "anna dot b at gmail dot com", "anna(at)gmx(dot)de", "my insta is anna_92",
    "snap: annab92",
    "add me on snapchat as annab", "@annab92", "https://instagram.com/annab", "t.me/annab", "whatsapp +44 7911 123456",
]  # fmt: skip
NOT_GIVEN = [
    "see you at 8", "it costs 1,000,000", "1999-2004 was fun", "12/05/1990", "what's your number?",
    "my insta is the best",
    "https://youtu.be/abc", "order 12345", "the score was 10-9, 12-10", "1 2 3 4 5 6 7 8 9",
    "it is cold at night. It is", "", "😀",
]  # fmt: skip


@pytest.mark.parametrize("body", GIVEN)
def test_contact_is_found(body: str) -> None:
    assert find_contact([f"hello, {body} :)"]).tolist() == [True]


@pytest.mark.parametrize("body", NOT_GIVEN)
def test_what_is_no_contact(body: str) -> None:
    assert find_contact([body]).tolist() == [False]


def test_public_chat_holds_no_contact(chat: list[str]) -> None:
    """A negotiation among strangers, who were told to give none."""
    assert find_contact(chat).sum() == 0
