import pandas as pd
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


def test_markers_are_no_answers_and_answers_are() -> None:
    assert [word for word in MARKERS if not is_no_answer(word)] == []
    assert [word for word in ANSWERS if is_no_answer(word)] == []


@given(st.sampled_from(MARKERS), st.text(" \t\n.-\u200b", max_size=3))
def test_space_and_punctuation_around_a_marker_do_not_matter(marker: str, around: str) -> None:
    assert is_no_answer(f"{around} {marker} {around}") or marker[:1] in "#1-\\"


def test_no_answers_are_removed_and_counted() -> None:
    """What breaks the contract is left to the contract."""
    odd = [None, 3, [" "], {"a": None, "b": " "}, "NA"]
    frame = pd.concat(
        [
            profiles(
                {"facts": {"smokes": "NA", "pets": "none", "drinks": "?"}, "interests": ["chess", "<NA>"]},
                {"facts": {"smokes": "no"}, "interests": ["nan", 3]},
            ),
            pd.DataFrame({"facts": pd.Series(odd, dtype=object), "interests": pd.Series(odd, dtype=object)}),
        ],
        ignore_index=True,
    )
    cleaned, removed = remove_no_answers(frame)
    assert cleaned["facts"].tolist() == [{"pets": "none"}, {"smokes": "no"}, *odd]
    assert cleaned["interests"].tolist() == [["chess"], [3], *odd]
    assert removed == {"facts": 2, "interests": 2}
    assert frame["facts"][0]["smokes"] == "NA", "the frame that was given stays as it was"
