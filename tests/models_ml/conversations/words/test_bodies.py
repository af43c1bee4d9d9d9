"""Odd bodies have a clear outcome in every function that reads words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.conversations.words.bodies import MAX_CHARACTERS, cut_bodies, split_sentences
from models.ml.conversations.words.contacts import find_contact
from models.ml.conversations.words.languages import detect_language
from models.ml.conversations.words.plans import find_plan, has_plan_words
from models.ml.conversations.words.questions import count_questions

SAYS_NOTHING = ["", " \n\t", "\0\0", "😀😀👍🏽", "ok", "\ud800", "5" * 1_000_000]
ODD = [*SAYS_NOTHING, "\u202e\u0645\u0631\u062d\u0628", "a@" * 500_000, "? " * 500_000]


def test_odd_bodies_have_a_value_each() -> None:
    assert len(count_questions(ODD)) == len(detect_language(ODD)) == len(ODD)
    assert not find_plan(ODD).any()
    assert not find_contact(ODD).any()
    assert detect_language(SAYS_NOTHING) == ["und"] * len(SAYS_NOTHING)


def test_no_bodies() -> None:
    assert [len(read([])) for read in (count_questions, find_plan, find_contact, detect_language)] == [0, 0, 0, 0]


@pytest.mark.parametrize("tail", ["?", " meet me at eight?", " +49 170 1234567"])
def test_only_the_beginning_is_read(tail: str) -> None:
    body = "x " * (MAX_CHARACTERS // 2) + tail * 1000
    assert count_questions([body]).tolist() == [0]
    assert find_contact([body]).tolist() == [False]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_twice_with_one_result(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())
    assert count_questions([text, text]).tolist() == [count_questions([text])[0]] * 2
    assert cut_bodies(cut_bodies([text])) == cut_bodies([text])
    assert has_plan_words(text) in {True, False}
    assert len(detect_language([text])[0]) in {2, 3}
