"""Profiles as arrays, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import CategoricalFeature
from models.ml.profiles.profile_matrix import MAX_DEVIATIONS, bound_ages, build_profile_matrix, make_empty_matrix
from tests.models_ml.conftest import answers, direction, number, profiles, specification

MADE = specification(
    genders=["man", "woman"],
    traits=[number("warmth", median=2, scale=0.5), number("height", median=170, scale=10)],
    wants=[number("warmth", median=0.4, scale=0.2)],
    facts=[CategoricalFeature("smokes", ("no", "yes"), (0.6, 0.3))],
    interests={"cats": 0.3, "dogs": 0.4},
    prompts=["about", "work"],
)
TOWN = profiles(
    {
        "age": 27, "latitude": 52.0, "longitude": 5.0, "traits": {"warmth": 3, "iq": 4}, "wants": {"warmth": 1.0},
        "facts": {"smokes": "yes"}, "interests": ["dogs", "cats", "dogs"],
    },
    {
        "gender": "man", "traits": {"height": 150, "warmth": 2}, "facts": {"smokes": "a pipe"},
        "interests": ["cats", "unheard of"],
    },
    {"gender": "nonbinary", "latitude": 1.0, "facts": {"pet": "no"}, "interests": ["unheard of"]},
)  # fmt: skip
SAID = answers(
    ("c", "work", direction(0, 1)),
    ("a", "about", direction(1)),
    ("a", "home", direction(0, 0, 1)),
    ("stranger", "about", direction(1)),
)


def test_a_town_of_three() -> None:
    town = build_profile_matrix(MADE, TOWN, SAID)
    assert len(town) == 3
    assert town.ids.tolist() == ["a", "b", "c"]
    assert town.age.tolist() == [27, 30, 30]
    assert town.gender.tolist() == [1, 0, -1]  # of too few is of none of those that count
    np.testing.assert_array_equal(town.place, [[52, 5], [np.nan, np.nan], [1, np.nan]])
    assert town.traits.tolist() == [[2, 0], [0, -2], [0, 0]]
    assert town.has_trait.tolist() == [[True, False], [True, True], [False, False]]
    assert town.wants[:, 0].tolist() == pytest.approx([3, 0, 0])
    # no 0, yes 1, anything rarer 2, not said -1
    assert town.facts.tolist() == [[1], [2], [-1]]
    assert town.interests.ravel().tolist() == pytest.approx([0.6, 0.8, 1, 0, 0, 0])


def test_texts_are_the_whole_profile_then_each_prompt() -> None:
    texts = build_profile_matrix(MADE, TOWN, SAID).texts.astype(float)
    expected = np.zeros((3, 3, 384))
    expected[0, 0, [0, 2]] = np.sqrt(1 / 2)  # a's answers to `about` and `home` together
    expected[0, 1, 0] = 1  # a's answer to `about`
    expected[2, [0, 2], 1] = 1  # c's answer to `work`, which is all of c's profile
    np.testing.assert_allclose(texts, expected, atol=1e-3)


def test_positions_are_those_of_the_frame() -> None:
    backwards = build_profile_matrix(MADE, TOWN[::-1].reset_index(drop=True), SAID)
    forwards = build_profile_matrix(MADE, TOWN, SAID)
    for name, array in vars(forwards).items():
        np.testing.assert_array_equal(getattr(backwards, name)[::-1], array)


@pytest.mark.parametrize(
    ("value", "deviations"),
    [(3, 2), (4.5, MAX_DEVIATIONS), (7, MAX_DEVIATIONS), (-3, -MAX_DEVIATIONS), (7.5, 0), (1e9, 0), (-1e308, 0)],
)
def test_no_trait_is_out_of_all_proportion(value: float, deviations: float) -> None:
    """Ten deviations of 0.5 from 2 is the farthest that is believed; farther off is as if nothing were said."""
    made = build_profile_matrix(MADE, profiles({"traits": {"warmth": value}}), SAID)
    assert made.traits.tolist() == [[deviations, 0]]
    assert made.has_trait.tolist() == [[deviations != 0, False]]


def test_ages_count_up_to_those_of_others() -> None:
    town = build_profile_matrix(
        replace(MADE, ages=(20.0, 60.0)), profiles({"age": 18}, {"age": 45}, {"age": 110}), SAID
    )
    assert town.age.tolist() == [18, 45, 110]
    assert bound_ages(replace(MADE, ages=(20.0, 60.0)), town).tolist() == [20, 45, 60]


def test_a_trait_of_tiny_scale_stays_finite() -> None:
    tiny = specification(traits=[number("x", median=0.0, scale=1e-300)])
    assert build_profile_matrix(tiny, profiles({"traits": {"x": 1e9}}), NO_ANSWERS).traits.tolist() == [[0]]


def test_nobody_has_the_shapes_of_somebody() -> None:
    for made in (MADE, specification()):
        assert [len(array) for array in vars(make_empty_matrix(made)).values()] == [0] * 10
        for town in (profiles({}).head(0), TOWN):
            arrays = build_profile_matrix(made, town, NO_ANSWERS)
            for name, empty in vars(make_empty_matrix(made)).items():
                assert getattr(arrays, name).shape == (len(town), *empty.shape[1:])
                assert getattr(arrays, name).dtype.kind == empty.dtype.kind
