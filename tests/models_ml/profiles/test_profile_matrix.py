from dataclasses import replace

import numpy as np
import pytest

from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import CategoricalFeature, FeatureSpec
from models.ml.profiles.profile_matrix import MAX_DEVIATIONS, bound_ages, build_profile_matrix, make_empty_matrix
from tests.models_ml.conftest import answers, direction, number, profiles, specification

SPEC = specification(
    genders=["man", "woman"],
    traits=[number("warmth", median=2, scale=0.5), number("height", median=170, scale=10)],
    wants=[number("warmth", median=0.4, scale=0.2)],
    facts=[CategoricalFeature("smokes", ("no", "yes"), (0.6, 0.3))],
    interests={"cats": 0.3, "dogs": 0.4},
    prompts=["about", "work"],
)
PEOPLE = profiles(
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


def test_a_matrix_by_hand() -> None:
    matrix = build_profile_matrix(SPEC, PEOPLE, SAID)
    assert len(matrix) == 3
    assert matrix.ids.tolist() == ["a", "b", "c"]
    assert matrix.age.tolist() == [27, 30, 30]
    assert matrix.gender.tolist() == [1, 0, -1]  # a gender of too few is -1
    np.testing.assert_array_equal(matrix.place, [[52, 5], [np.nan, np.nan], [1, np.nan]])
    assert matrix.traits.tolist() == [[2, 0], [0, -2], [0, 0]]
    assert matrix.has_trait.tolist() == [[True, False], [True, True], [False, False]]
    assert matrix.wants[:, 0].tolist() == pytest.approx([3, 0, 0])
    assert matrix.facts.tolist() == [[1], [2], [-1]]  # no 0, yes 1, anything rarer 2, not said -1
    assert matrix.interests.ravel().tolist() == pytest.approx([0.6, 0.8, 1, 0, 0, 0])
    texts = np.zeros((3, 3, 384))
    texts[0, 0, [0, 2]] = np.sqrt(1 / 2)  # a's answers to `about` and `home` together
    texts[0, 1, 0] = 1  # a's answer to `about`
    texts[2, [0, 2], 1] = 1  # c's answer to `work`, which is all of c's profile
    np.testing.assert_allclose(matrix.texts.astype(float), texts, atol=1e-3)
    backwards = build_profile_matrix(SPEC, PEOPLE[::-1].reset_index(drop=True), SAID)
    for name, array in vars(matrix).items():
        np.testing.assert_array_equal(getattr(backwards, name)[::-1], array)


@pytest.mark.parametrize(
    ("value", "deviations"),
    [(3, 2), (4.5, MAX_DEVIATIONS), (7, MAX_DEVIATIONS), (-3, -MAX_DEVIATIONS), (7.5, 0), (1e9, 0), (-1e308, 0)],
)
def test_a_trait_out_of_all_proportion_is_missing(value: float, deviations: float) -> None:
    """Ten deviations of 0.5 from 2 is the farthest that is believed."""
    matrix = build_profile_matrix(SPEC, profiles({"traits": {"warmth": value}}), SAID)
    assert matrix.traits.tolist() == [[deviations, 0]]
    assert matrix.has_trait.tolist() == [[deviations != 0, False]]


def test_ages_count_up_to_those_of_others() -> None:
    spec = replace(SPEC, ages=(20.0, 60.0))
    matrix = build_profile_matrix(spec, profiles({"age": 18}, {"age": 45}, {"age": 110}), SAID)
    assert matrix.age.tolist() == [18, 45, 110]
    assert bound_ages(spec, matrix).tolist() == [20, 45, 60]


@pytest.mark.parametrize("spec", [SPEC, specification()])
def test_an_empty_matrix_has_the_same_shapes(spec: FeatureSpec) -> None:
    for name, empty in vars(make_empty_matrix(spec)).items():
        assert len(empty) == 0
        for people in (PEOPLE.head(0), PEOPLE):
            array = getattr(build_profile_matrix(spec, people, NO_ANSWERS), name)
            assert (array.shape, array.dtype.kind) == ((len(people), *empty.shape[1:]), empty.dtype.kind)
