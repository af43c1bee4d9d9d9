import math

import numpy as np
import pandas as pd
import pytest

from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.feature_spec import (
    CategoricalFeature,
    DefaultValues,
    FeatureSpec,
    fit_feature_spec,
    is_sensitive,
)
from tests.models_ml.conftest import answers, direction, draw_profiles, profiles
from tests.models_ml.profiles.test_geography import DEGREE

FOUR = profiles(
    {
        "age": 30, "latitude": 52.0, "longitude": 5.0, "interests": ["cats", "dogs"], "facts": {"smokes": "no"},
        "traits": {"warmth": 1, "height": 180}, "wants": {"warmth": 0.2}, "texts": {"about": "x", "work": "y"},
    },
    {
        "age": 34, "latitude": 53.0, "longitude": 5.0, "interests": ["cats"], "facts": {"smokes": "no", "pet": "cat"},
        "traits": {"warmth": 2}, "wants": {"warmth": 0.6}, "texts": {"about": "z"},
    },
    {
        "age": 37, "latitude": 54.0, "longitude": 5.0, "interests": ["cats", "chess"], "facts": {"smokes": "yes"},
        "traits": {"warmth": 4},
    },
    {"age": 50, "interests": ["dogs", "dogs"], "facts": {"smokes": "yes", "pet": "cat"}},
)  # fmt: skip
SAID = answers(("a", "about", direction(1)), ("a", "work", direction(0, 1)), ("b", "about", direction(0, 1)))


def test_the_spec_of_four() -> None:
    """Ages are compared with the user two further on, places c with a, a with b and b with c."""
    spec = fit_feature_spec(FOUR, SAID)
    (trait,), (want,) = spec.traits, spec.wants
    assert (trait.name, want.name) == ("warmth", "warmth")
    assert (trait.median, trait.scale) == pytest.approx((2, math.sqrt(14) / 3))
    assert (want.median, want.scale) == pytest.approx((0.4, 0.2))
    assert spec.facts == (CategoricalFeature("smokes", ("no", "yes"), (0.5, 0.5)),)
    assert spec.interests == ("cats", "dogs")
    assert spec.rarity == pytest.approx((math.log(4 / 3), math.log(2)))
    assert spec.prompts == ("about",)
    assert spec.ordinary.age_gap == 11.5
    assert spec.ordinary.distance_km == pytest.approx(DEGREE)
    with_cats, with_dogs = np.array(spec.rarity) / math.hypot(*spec.rarity)
    # a with b, c and d; b with c, b with d, c with d.
    assert spec.ordinary.interests_cosine == pytest.approx((2 * with_cats + with_dogs + 1 + 0 + 0) / 6)
    # All of a's answers are (1, 1) / √2, and b's (0, 1); to the prompt they are (1, 0) and (0, 1).
    assert spec.ordinary.texts_cosine == pytest.approx((math.sqrt(1 / 2), 0), abs=1e-6)


def test_common_categories_come_first_with_their_shares() -> None:
    """Of 9 answers 4 are beer, 3 ale, 1 rum and 1 gin: single ones are too rare to count."""
    said = ["beer"] * 4 + ["ale"] * 3 + ["rum", "gin"]
    facts: list[dict[str, object]] = [{"facts": {"drinks": word}} for word in said]
    assert fit_feature_spec(profiles(*facts, {}), NO_ANSWERS).facts == (
        CategoricalFeature("drinks", ("beer", "ale"), (4 / 9, 3 / 9)),
    )


@pytest.mark.parametrize(("rare", "genders"), [(4, ("nonbinary", "woman")), (3, ("woman",))])
def test_a_gender_of_one_in_twenty_five_counts(rare: int, genders: tuple[str, ...]) -> None:
    frame = profiles(*({"gender": "nonbinary" if who < rare else "woman"} for who in range(100)))
    assert fit_feature_spec(frame, NO_ANSWERS).genders == genders


@pytest.mark.parametrize(("silent", "count"), [(2, 1), (3, 0)])
def test_what_fewer_than_half_have_does_not_count(silent: int, count: int) -> None:
    asked: list[dict[str, object]] = [
        {"traits": {"x": number}, "wants": {"y": number / 10}, "texts": {"z": f"{number}"}} for number in (1, 2)
    ]
    spec = fit_feature_spec(profiles(*asked, *[{}] * silent), NO_ANSWERS)
    assert [len(each) for each in (spec.traits, spec.wants, spec.prompts)] == [count] * 3


@pytest.mark.parametrize("values", [(3, 3), (0.0, 5e-324), (0, 1e-200)])
def test_a_trait_that_tells_nobody_apart_does_not_count(values: tuple[float, float]) -> None:
    assert fit_feature_spec(profiles(*({"traits": {"x": value}} for value in values)), NO_ANSWERS).traits == ()


def test_at_most_two_hundred_interests_count() -> None:
    words = [f"{number:03d}" for number in range(250)]
    frame = profiles({"interests": words}, {"interests": words}, {"interests": words[100:]}, {})
    spec = fit_feature_spec(frame, NO_ANSWERS)
    assert spec.interests == (*words[100:], *words[:50])
    assert set(spec.rarity) == {math.log(4 / 3), math.log(4 / 2)}


def test_race_and_ethnicity_are_used_only_if_asked_for() -> None:
    sensitive = ["race", "same_race", "Same-Race", "sameRace", "RACE", "skin colour", "ethnicity", "Caste"]
    others = ["grace", "races_won", "embrace", "", "same_religion", "raceday", "skincare"]
    assert [name for name in [*sensitive, *others] if is_sensitive(name)] == sensitive
    people: list[dict[str, object]] = [
        {
            "traits": dict.fromkeys(("race", "grace"), number),
            "wants": {"race": number / 10},
            "facts": {"race": word},
        }
        for number, word in enumerate("abab")
    ]
    for asked, names in ((False, [["grace"], [], []]), (True, [["grace", "race"], ["race"], ["race"]])):
        spec = fit_feature_spec(profiles(*people), NO_ANSWERS, sensitive=asked)
        assert [[each.name for each in kind] for kind in (spec.traits, spec.wants, spec.facts)] == names


def test_a_spec_of_rows_in_any_order_and_from_json() -> None:
    random, prompts = np.random.default_rng(3), {"about": "ÿ", "work": "y"}
    frame = draw_profiles(30)
    frame["texts"] = pd.Series([prompts] * 30, dtype=object)
    keys = [(who, prompt) for who in frame["profile_id"] for prompt in prompts]
    said = answers(*((who, prompt, direction(*random.normal(size=9))) for who, prompt in keys))
    spec = fit_feature_spec(frame, said)
    assert FeatureSpec.parse(spec.serialise()) == spec
    for _ in range(5):
        rows = random.permutation(len(keys))
        shuffled = AnswerEmbeddings(said.keys.iloc[rows].reset_index(drop=True), said.vectors[rows], said.encoder)
        assert fit_feature_spec(frame.sample(frac=1, random_state=random, ignore_index=True), shuffled) == spec


def test_typical_values_of_a_trait() -> None:
    """The middles of ninths, around the median of 0 to 180."""
    (trait,) = fit_feature_spec(profiles(*({"traits": {"x": value}} for value in range(181))), NO_ANSWERS).traits
    middles = np.arange(10, 180, 20) - 90
    np.testing.assert_allclose(trait.typical, middles / np.arange(181).std())


def test_the_ages_that_count_are_those_near_the_others() -> None:
    frame = profiles(*({"age": age} for age in [*[*range(25, 56)] * 4, 110]))
    assert fit_feature_spec(frame, NO_ANSWERS).ages == (18, 69.0)
    assert fit_feature_spec(frame.assign(age=30), NO_ANSWERS).ages == (18, 45.0)


@pytest.mark.parametrize("people", [0, 1, 2, 5])
def test_profiles_that_say_nothing_have_an_empty_spec(people: int) -> None:
    spec = fit_feature_spec(profiles(*[{}] * max(people, 1)).head(people), NO_ANSWERS)
    genders, ages = (("woman",), (18, 45.0)) if people else ((), (18, 110))
    assert spec == FeatureSpec(genders, (), (), (), (), (), (), DefaultValues(0.0, 0.0, 0.0, (0.0,)), ages)


def test_users_with_only_common_interests_are_not_compared() -> None:
    """All have cats, which tells nothing; two have dogs too, and only they have tastes to compare: the same."""
    both, one = {"interests": ["cats", "dogs"]}, {"interests": ["cats"]}
    alike, apart = (fit_feature_spec(profiles(*each), NO_ANSWERS) for each in ([one] * 3, [both, one, both, one]))
    assert (alike.interests, alike.rarity, alike.ordinary.interests_cosine) == (("cats",), (0.0,), 0.0)
    assert apart.ordinary.interests_cosine == pytest.approx(1)
