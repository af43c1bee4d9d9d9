"""Filled profiles: what was answered stays, what was not is somebody's of the same gender, and tells nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.feature_spec import FeatureSpec, fit_feature_spec
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.training.imputation import impute_missing
from tests.models_ml.conftest import somebody

WHOLE = {
    "traits": {"warmth": 1.0, "humour": 2.0},
    "wants": {"warmth": 30.0},
    "facts": {"smokes": "no"},
    "interests": ["jazz"],
    "latitude": 38.7,
    "longitude": -9.1,
}
NOTHING: dict[str, object] = {
    "traits": {},
    "wants": {},
    "facts": {},
    "interests": [],
    "latitude": None,
    "longitude": None,
}


def town(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([{**WHOLE, **row} for row in rows]).astype({"latitude": float, "longitude": float})


def spoken(**answers: list[float]) -> AnswerEmbeddings:
    """One answer a person to `about`, the vector given by its first numbers."""
    vectors = np.zeros((len(answers), 384), np.float16)
    for row, numbers in enumerate(answers.values()):
        vectors[row, : len(numbers)] = numbers
    return AnswerEmbeddings(pd.DataFrame({"profile_id": list(answers), "prompt": "about", "text_hash": "x"}), vectors)


def everything(profiles: pd.DataFrame, answers: AnswerEmbeddings = NO_ANSWERS) -> FeatureSpec:
    return fit_feature_spec(profiles, answers)


def mixed(lacking: list[bool], gender: list[str]) -> pd.DataFrame:
    rows = []
    for number, (lacks, each) in enumerate(zip(lacking, gender, strict=True)):
        own = {
            "traits": {"warmth": number, "humour": -number},
            "facts": {"smokes": "yes" if number % 2 else "no"},
            "interests": [f"i{number}"],
            "latitude": float(number),
            "longitude": 0.0,
        }
        rows.append({**somebody(f"p{number:02}", gender=each), **(NOTHING if lacks else own)})
    return town(*rows)


PEOPLE = st.lists(st.tuples(st.booleans(), st.sampled_from(["man", "woman"])), min_size=4, max_size=12)


@given(PEOPLE, st.integers(0, 5))
def test_what_was_answered_stays_and_the_rest_is_one_giver_s_of_the_same_gender(
    drawn: list[tuple[bool, str]], seed: int
) -> None:
    lacking, gender = [list(each) for each in zip(*drawn, strict=True)]
    lacking[:3], gender[:3] = [False, False, False], ["man", "woman", "woman"]
    before = mixed(lacking, gender)
    whole = everything(mixed([False] * len(gender), gender))
    after, _ = impute_missing(whole, before, NO_ANSWERS, seed)
    for row in range(len(before)):
        giver = int(after.traits[row]["warmth"])
        assert after.traits[row] == {"warmth": giver, "humour": -giver}
        assert (after.interests[row], after.latitude[row]) == ([f"i{giver}"], giver)
        assert after.facts[row] == {"smokes": "yes" if giver % 2 else "no"}
        assert giver == row if not lacking[row] else (gender[giver] == gender[row] and not lacking[giver])
    assert before.equals(mixed(lacking, gender))


def test_the_seed_says_who_gives() -> None:
    before = mixed([False] * 20 + [True] * 20, ["woman"] * 40)
    whole = everything(before.head(20))
    given = [
        [cell["warmth"] for cell in impute_missing(whole, before, NO_ANSWERS, seed)[0].traits[20:]]
        for seed in (0, 0, 1)
    ]
    assert given[0] == given[1] != given[2]
    assert len(set(given[0])) > 5


def test_of_anybody_where_nobody_of_that_gender_has_it() -> None:
    before = mixed([False, True], ["man", "woman"])
    after, _ = impute_missing(everything(before.head(1)), before, NO_ANSWERS, 0)
    assert after.interests.tolist() == [["i0"], ["i0"]]


def test_what_nobody_has_stays_away() -> None:
    before = mixed([True, True], ["man", "woman"])
    after, answers = impute_missing(everything(mixed([False, False], ["man", "woman"])), before, NO_ANSWERS, 0)
    assert after.interests.tolist() == [[], []]
    assert after.latitude.isna().all()
    assert len(answers.keys) == 0


def test_texts_too() -> None:
    before = mixed([False] * 3, ["man", "woman", "woman"])
    before["texts"] = pd.Series([{"about": "x"}] * 3)
    answers = spoken(p00=[1.0], p01=[0.0, 1.0])
    after, more = impute_missing(everything(before, answers), before, answers, 0)
    assert more.keys["profile_id"].tolist() == ["p00", "p01", "p02"]
    np.testing.assert_array_equal(more.vectors[2], answers.vectors[1])
    arrays = build_profile_matrix(everything(before, answers), after, more)
    np.testing.assert_array_equal(arrays.texts[2], arrays.texts[1])


@pytest.mark.parametrize("kind", ["traits", "wants"])
def test_nobody_can_be_told_by_what_is_missing(kind: str) -> None:
    """The most ordinary value is as frequent among those who did not answer as among those who did."""
    random = np.random.default_rng(0)
    rows = [somebody(f"p{n:04}", **{kind: {"x": float(random.integers(5))} if n % 2 else {}}) for n in range(2000)]
    before = pd.DataFrame(rows)
    after, _ = impute_missing(everything(before), before, NO_ANSWERS, 0)
    values = np.array([cell["x"] for cell in after[kind]])
    silent, spoken = (np.bincount(values[n::2].astype(int)) / 1000 for n in range(2))
    np.testing.assert_allclose(silent, spoken, atol=0.06)
