"""Which words stand for no answer, and that they are removed from facts and interests and counted."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.profiles.no_answers import is_no_answer, remove_no_answers
from tests.models_ml.conftest import profiles

MARKERS = [
    *("NA", "na", "N/A", "n/a", "N.A.", "n.a.", "n. a.", "#N/A", "#NA", "<NA>", "#N/A N/A", "(n/a)", "NaN", "nan"),
    *("-nan", "-NaN", "NaT", "NULL", "null", "<null>", "[NULL]", "(null)", "\\N", "None", "NONE", '"None"', "nil"),
    *("undefined", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "1.#IND", "-1.#QNAN", "\uff2e\uff21"),
    *("?", "??", "-", "--", "\u2013", "\u2014", "\u2212", "...", "\u2026", "_", "", " ", "\t", "\u00a0", "\u200b"),
    *("\ufeff", "\u2800", "\u3164", " NA ", "\u200bNA\u200b", "N/A.", "?!", "\u00bf?", "*", "'NA'", "\ufe0f"),
]
ANSWERS = [
    *("no", "none", "other", "0", "never", "Nathan", "Nana", "nano", "c++", "C", "N", "n", "anna", "A-", "$$$", "42"),
    *("not at all", "no answer needed", "naan", "national parks", "\U0001f389", "\u732b", "NATO", "nonetheless", "#1"),
    *("\u0939\u093f\u0928\u094d\u0926\u0940", "None of the above", "NAVY", "ref", "value", "#hiking", "\u2764\ufe0f"),
]


@pytest.mark.parametrize("word", MARKERS)
def test_a_marker_is_no_answer(word: str) -> None:
    assert is_no_answer(word)


@pytest.mark.parametrize("word", ANSWERS)
def test_an_answer_is_an_answer(word: str) -> None:
    assert not is_no_answer(word)


@given(st.sampled_from(MARKERS), st.text(" \t\n.-\u200b", max_size=3))
def test_space_and_punctuation_around_a_marker_do_not_matter(marker: str, around: str) -> None:
    assert is_no_answer(f"{around} {marker} {around}") or marker[:1] in "#1-\\"


def test_facts_and_interests_that_say_nothing_are_removed_and_counted() -> None:
    frame = profiles(
        {"facts": {"smokes": "NA", "pets": "none", "drinks": "?"}, "interests": ["chess", "<NA>"]},
        {"facts": {"smokes": "no"}, "interests": ["nan"]},
        {},
    )
    cleaned, removed = remove_no_answers(frame)
    assert cleaned["facts"].tolist() == [{"pets": "none"}, {"smokes": "no"}, {}]
    assert cleaned["interests"].tolist() == [["chess"], [], []]
    assert removed == {"facts": 2, "interests": 2}
    assert frame["facts"][0]["smokes"] == "NA", "the frame that was given stays as it was"


def test_what_breaks_the_contract_is_left_for_the_contract() -> None:
    odd = [None, 3, ["NA", 3], [" "], {"a": None, "b": " "}, "NA"]
    frame = pd.DataFrame({"facts": pd.Series(odd, dtype=object), "interests": pd.Series(odd, dtype=object)})
    cleaned, removed = remove_no_answers(frame)
    assert cleaned["facts"].tolist() == odd
    assert cleaned["interests"].tolist() == [None, 3, [3], [" "], {"a": None, "b": " "}, "NA"]
    assert removed == {"interests": 1}
