"""What a specification learns from a town: a town of four by hand, and what must never matter."""

import math
from itertools import combinations
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.encoder import DIMENSIONS
from models.ml.profiles.feature_spec import (
    CategoricalFeature,
    DefaultValues,
    FeatureSpec,
    NumericFeature,
    fit_feature_spec,
    is_sensitive,
)
from tests.models_ml.conftest import answers, direction, profiles, somebody
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


def test_a_town_of_four() -> None:
    learned = fit_feature_spec(FOUR, SAID)
    (warmth,) = learned.traits
    assert warmth.name == "warmth"
    assert (warmth.median, warmth.scale) == pytest.approx((2, math.sqrt(14) / 3))
    (wanted,) = learned.wants
    assert wanted.name == "warmth"
    assert (wanted.median, wanted.scale) == pytest.approx((0.4, 0.2))
    assert learned.facts == (CategoricalFeature("smokes", ("no", "yes"), (0.5, 0.5)),)
    assert learned.interests == ("cats", "dogs")
    assert learned.rarity == pytest.approx((math.log(4 / 3), math.log(2)))
    assert learned.prompts == ("about",)


def test_what_is_ordinary_in_a_town_of_four() -> None:
    """Each with the one two further on: gaps of age 7, 16, 7, 16. Places known: c with a, a with b, b with c."""
    ordinary = fit_feature_spec(FOUR, SAID).ordinary
    assert ordinary.age_gap == 11.5
    assert ordinary.distance_km == pytest.approx(DEGREE)
    cats, dogs = math.log(4 / 3), math.log(2)
    with_cats, with_dogs = cats / math.hypot(cats, dogs), dogs / math.hypot(cats, dogs)
    # a with b, c and d; b with c, b with d, c with d.
    assert ordinary.interests_cosine == pytest.approx((2 * with_cats + with_dogs + 1 + 0 + 0) / 6)
    # All of a's answers are (1, 1) / √2, and b's (0, 1); to the prompt they are (1, 0) and (0, 1).
    assert ordinary.texts_cosine == pytest.approx((math.sqrt(1 / 2), 0), abs=1e-6)


def test_ordinary_texts_are_the_mean_cosine_of_two_people() -> None:
    drawn = np.random.default_rng(1).normal(0.05, 1, (30, DIMENSIONS))
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)
    said = answers(*((f"{person:02d}", "about", vector) for person, vector in enumerate(vectors)))
    town = pd.DataFrame([somebody(f"{person:02d}", texts={"about": "x"}) for person in range(30)])
    pairs = [float(one.astype(float) @ other.astype(float)) for one, other in combinations(vectors, 2)]
    assert fit_feature_spec(town, said).ordinary.texts_cosine == pytest.approx([np.mean(pairs)] * 2, abs=1e-4)


def test_the_most_common_categories_come_first_with_their_shares_of_all_answers() -> None:
    """Of 9 answers 4 are beer, 3 ale, 1 rum and 1 gin: single ones are too rare to count."""
    said = ["beer"] * 4 + ["ale"] * 3 + ["rum", "gin"]
    facts: list[dict[str, object]] = [{"facts": {"drinks": word}} for word in said]
    assert fit_feature_spec(profiles(*facts, {}), NO_ANSWERS).facts == (
        CategoricalFeature("drinks", ("beer", "ale"), (4 / 9, 3 / 9)),
    )


def test_a_gender_of_one_in_twenty_five_counts() -> None:
    def town(rare: int) -> pd.DataFrame:
        genders = ["nonbinary"] * rare + ["woman"] * (100 - rare)
        return pd.DataFrame([somebody(f"{who:03d}", gender=gender) for who, gender in enumerate(genders)])

    assert fit_feature_spec(town(4), NO_ANSWERS).genders == ("nonbinary", "woman")
    assert fit_feature_spec(town(3), NO_ANSWERS).genders == ("woman",)


def test_what_fewer_than_half_were_asked_does_not_count() -> None:
    asked: dict[str, object] = {"traits": {"x": 1}, "wants": {"y": 0.1}, "texts": {"z": "one"}}
    again: dict[str, object] = {"traits": {"x": 2}, "wants": {"y": 0.2}, "texts": {"z": "two"}}
    half, fewer = (
        fit_feature_spec(profiles(asked, again, {}, {}), NO_ANSWERS),
        fit_feature_spec(profiles(asked, again, {}, {}, {}), SAID),
    )
    assert [len(each) for each in (half.traits, half.wants, half.prompts)] == [1, 1, 1]
    assert [len(each) for each in (fewer.traits, fewer.wants, fewer.prompts)] == [0, 0, 0]


@pytest.mark.parametrize("values", [(3, 3), (0.0, 5e-324), (0, 1e-200)])
def test_a_trait_that_tells_nobody_apart_does_not_count(values: tuple[float, float]) -> None:
    assert fit_feature_spec(profiles(*({"traits": {"x": value}} for value in values)), NO_ANSWERS).traits == ()


def test_at_most_two_hundred_interests_count() -> None:
    words = [f"{number:03d}" for number in range(250)]
    town = profiles({"interests": words}, {"interests": words}, {"interests": words[100:]}, {})
    learned = fit_feature_spec(town, NO_ANSWERS)
    assert learned.interests == (*words[100:], *words[:50])
    assert set(learned.rarity) == {math.log(4 / 3), math.log(4 / 2)}


@pytest.mark.parametrize(
    "name", ["race", "same_race", "Same-Race", "sameRace", "RACE", "skin colour", "ethnicity", "Caste"]
)
def test_race_and_ethnicity_are_used_only_if_asked_for(name: str) -> None:
    assert is_sensitive(name)
    people: list[dict[str, object]] = [
        {"traits": {name: number}, "wants": {name: number / 10}, "facts": {name: f"{number % 2}"}}
        for number in range(8)
    ]
    learned = fit_feature_spec(profiles(*people), NO_ANSWERS)
    assert (learned.traits, learned.wants, learned.facts) == ((), (), ())
    asked = fit_feature_spec(profiles(*people), NO_ANSWERS, sensitive=True)
    assert [[each.name for each in kind] for kind in (asked.traits, asked.wants, asked.facts)] == [[name]] * 3


@pytest.mark.parametrize("name", ["grace", "races_won", "embrace", "", "same_religion", "raceday", "skincare"])
def test_other_names_are_used(name: str) -> None:
    assert not is_sensitive(name)
    learned = fit_feature_spec(profiles(*({"traits": {name: number}} for number in range(3))), NO_ANSWERS)
    assert [trait.name for trait in learned.traits] == [name]


def town_of_thirty() -> tuple[pd.DataFrame, AnswerEmbeddings]:
    random = np.random.default_rng(3)
    people = [
        somebody(
            f"{person:02d}",
            age=int(random.integers(18, 80)),
            latitude=random.uniform(-90, 90),
            longitude=random.uniform(-180, 180),
            traits={"x": random.normal(), "y": random.normal()},
            wants={"x": random.random()},
            facts={"smokes": str(random.choice(["no", "yes", "at parties"]))},
            interests=[str(word) for word in random.choice(["cats", "dogs", "chess", "tea", "art"], 3)],
            texts={"about": "x", "work": "y", "home": "z"},
        )
        for person in range(30)
    ]
    said = [
        (f"{person:02d}", prompt, direction(*random.normal(size=9)))
        for person in range(30)
        for prompt in ("about", "work", "home")
    ]
    return pd.DataFrame(people), answers(*said)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random: Random) -> None:
    town, said = town_of_thirty()
    rows = random.sample(range(30), 30)
    turns = random.sample(range(90), 90)
    shuffled = AnswerEmbeddings(said.keys.iloc[turns].reset_index(drop=True), said.vectors[turns])
    assert fit_feature_spec(town.iloc[rows].reset_index(drop=True), shuffled) == fit_feature_spec(town, said)


def test_learning_twice_gives_the_same() -> None:
    assert fit_feature_spec(*town_of_thirty()) == fit_feature_spec(*town_of_thirty())


def test_what_is_typical_of_a_trait() -> None:
    """The middles of ninths, around the median of 0 to 180."""
    (trait,) = fit_feature_spec(profiles(*({"traits": {"x": value}} for value in range(181))), NO_ANSWERS).traits
    middles = np.arange(10, 180, 20) - 90
    np.testing.assert_allclose(trait.typical, middles / np.arange(181).std())


def test_outliers_count_for_nothing_that_is_learned() -> None:
    """Of 101 values 0 to 100 a twentieth lies outside 5 to 95, so that those from -40 to 140 are no outliers."""
    values = [*range(101)]

    def trait(*more: float) -> NumericFeature:
        (learned,) = fit_feature_spec(
            profiles(*({"traits": {"x": value}} for value in (*values, *more))), NO_ANSWERS
        ).traits
        return learned

    assert trait(1e9) == trait(1e300) == trait(-1e9) == trait()
    assert trait(140).scale > trait().scale


def test_the_ages_that_count_are_those_near_the_others() -> None:
    ages = [*range(25, 56)] * 4
    town = pd.DataFrame([somebody(f"{who:03d}", age=age) for who, age in enumerate([*ages, 110])])
    assert fit_feature_spec(town, NO_ANSWERS).ages == (18, 69.0)
    assert fit_feature_spec(town.assign(age=30), NO_ANSWERS).ages == (18, 45.0)


numbers = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=5)


@given(
    st.builds(
        FeatureSpec,
        genders=st.lists(words, max_size=3).map(tuple),
        traits=st.lists(st.builds(NumericFeature, words, numbers, numbers, st.tuples(numbers)), max_size=2).map(tuple),
        wants=st.lists(st.builds(NumericFeature, words, numbers, numbers, st.tuples(numbers)), max_size=2).map(tuple),
        facts=st.lists(
            st.builds(CategoricalFeature, words, st.tuples(words, words), st.tuples(numbers, numbers)), max_size=2
        ).map(tuple),
        interests=st.tuples(words, words),
        rarity=st.tuples(numbers, numbers),
        prompts=st.lists(words, max_size=2).map(tuple),
        ordinary=st.builds(DefaultValues, numbers, numbers, numbers, st.tuples(numbers, numbers)),
    )
)
def test_json_gives_back_what_it_was_made_of(written: FeatureSpec) -> None:
    assert FeatureSpec.parse(written.serialise()) == written


def test_a_town_that_says_nothing_teaches_nothing() -> None:
    for people in (0, 1, 2, 5):
        learned = fit_feature_spec(profiles(*[{}] * max(people, 1)).head(people), NO_ANSWERS)
        genders, ages = (("woman",), (18, 45.0)) if people else ((), (18, 110))
        assert learned == FeatureSpec(genders, (), (), (), (), (), (), DefaultValues(0.0, 0.0, 0.0, (0.0,)), ages)


def test_an_interest_of_everybody_tells_nothing() -> None:
    learned = fit_feature_spec(profiles(*[{"interests": ["cats"]}] * 3), NO_ANSWERS)
    assert (learned.interests, learned.rarity, learned.ordinary.interests_cosine) == (("cats",), (0.0,), 0.0)


def test_who_has_only_what_everybody_has_is_not_compared() -> None:
    """All have cats; two have dogs too, and only they have tastes to compare: the same."""
    both, one = {"interests": ["cats", "dogs"]}, {"interests": ["cats"]}
    assert fit_feature_spec(profiles(both, one, both, one), NO_ANSWERS).ordinary.interests_cosine == pytest.approx(1)
