"""Imputed profiles: what was answered stays, and the rest is a giver's of the same gender."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.training.imputation import impute_missing
from tests.models_ml.conftest import answers, direction, somebody


def town(lacking: list[bool], gender: list[str]) -> pd.DataFrame:
    """Those who answered everything, each in their own way, and those who lack everything."""
    rows = []
    for number, (lacks, each) in enumerate(zip(lacking, gender, strict=True)):
        own: dict[str, object] = {
            "traits": {"warmth": number, "humour": -number},
            "facts": {"smokes": "yes" if number % 2 else "no"},
            "interests": [f"i{number}"],
            "latitude": float(number),
            "longitude": 0.0,
        }
        rows.append(somebody(f"p{number:02}", gender=each, **({} if lacks else own)))
    return pd.DataFrame(rows).astype({"latitude": float, "longitude": float})


drawn_people = st.lists(st.tuples(st.booleans(), st.sampled_from(["man", "woman"])), min_size=4, max_size=12)


@settings(max_examples=25)
@given(drawn_people, st.integers(0, 5))
def test_answers_stay_and_the_rest_is_one_giver_s_of_the_gender(drawn: list[tuple[bool, str]], seed: int) -> None:
    lacking, gender = [list(each) for each in zip(*drawn, strict=True)]
    lacking[:3], gender[:3] = [False, False, False], ["man", "woman", "woman"]
    before = town(lacking, gender)
    whole = fit_feature_spec(town([False] * len(gender), gender), NO_ANSWERS)
    after, _ = impute_missing(whole, before, NO_ANSWERS, seed)
    for row in range(len(before)):
        giver = int(after.traits[row]["warmth"])
        assert after.traits[row] == {"warmth": giver, "humour": -giver}
        assert (after.interests[row], after.latitude[row]) == ([f"i{giver}"], giver)
        assert after.facts[row] == {"smokes": "yes" if giver % 2 else "no"}
        assert giver == row if not lacking[row] else (gender[giver] == gender[row] and not lacking[giver])
    assert before.equals(town(lacking, gender))


def test_the_seed_says_who_gives() -> None:
    before = town([False] * 20 + [True] * 20, ["woman"] * 40)
    whole = fit_feature_spec(before.head(20), NO_ANSWERS)
    found = [impute_missing(whole, before, NO_ANSWERS, seed)[0].interests[20:].tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    assert len({interest for (interest,) in found[0]}) > 5


def test_without_a_giver_of_the_gender_anybody_gives_or_nobody() -> None:
    before = town([False, True], ["man", "woman"])
    after, _ = impute_missing(fit_feature_spec(before.head(1), NO_ANSWERS), before, NO_ANSWERS, 0)
    assert after.interests.tolist() == [["i0"], ["i0"]]
    whole = fit_feature_spec(town([False, False], ["man", "woman"]), NO_ANSWERS)
    after, embedded = impute_missing(whole, town([True, True], ["man", "woman"]), NO_ANSWERS, 0)
    assert after.interests.tolist() == [[], []]
    assert after.latitude.isna().all()
    assert len(embedded.keys) == 0


def test_texts_are_given_too() -> None:
    before = town([False] * 3, ["man", "woman", "woman"])
    before["texts"] = pd.Series([{"about": "x"}] * 3)
    embedded = answers(("p00", "about", direction(1)), ("p01", "about", direction(0, 1)))
    _, more = impute_missing(fit_feature_spec(before, embedded), before, embedded, 0)
    assert more.keys["profile_id"].tolist() == ["p00", "p01", "p02"]
    np.testing.assert_array_equal(more.vectors[2], embedded.vectors[1])
