import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from models.ml.features.pair_features import HISTORY_FEATURES, FeatureGroup, list_feature_groups
from models.ml.profiles.feature_spec import CategoricalFeature, DefaultValues
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring.match_reasons import EXPLAINED, FALLBACK, explain_pairs
from tests.models_ml.conftest import crowd, direction, number, specification, strangers

MADE = specification(
    traits=[number("warmth", 0, 1), number("wit", 0, 1)],
    wants=[number("warmth", 0, 1), number("wealth", 0, 1)],
    facts=[
        CategoricalFeature("smokes", ("no", "yes"), (0.9, 0.1)),
        CategoricalFeature("field_of_work", ("law", "other", "art"), (0.3, 0.2, 0.1)),
        CategoricalFeature("pets", ("cat", "dog"), (0.5, 0.4)),
        CategoricalFeature("eats", ("meat", "plants"), (0.6, 0.2)),
    ],
    interests={"cats": 0.2, "dogs": 0.3, "chess": 0.5, "tea": 0.4},
    prompts=["about"],
    ordinary=DefaultValues(age_gap=6.0, distance_km=10.0, interests_cosine=0.25, texts_cosine=(0.5, 0.5)),
)
NAMES = [name for name, _ in list_feature_groups(MADE)]
GROUPS = [group for _, group in list_feature_groups(MADE)]
SILENT = [np.zeros(384)] * 2

Reason = dict[str, object]


def two(**arrays: object) -> ProfileMatrix:
    """The viewer 0 and the candidate 1, 40 years and 10 degrees apart, with nothing in common but what is given."""
    apart: dict[str, object] = {"age": [20, 60], "place": [[50, 5], [60, 5]], "facts": [[-1] * 4] * 2}
    return crowd(2, MADE, **apart | arrays)


def weighing(weight: Mapping[FeatureGroup, float]) -> Ranker:
    """A ranker for which a group of features counts so much, whatever their values: an average pair is far below."""
    weights = np.array([weight.get(group, 0.0) / GROUPS.count(group) for group in GROUPS])
    linear, cold = LinearModel(weights, 0.0), LinearModel(weights[:-HISTORY_FEATURES], 0.0)
    return Ranker(MADE, cold, linear, np.full(len(GROUPS), -1e6), slope=1.0, shift=0.0, booster=None)


def said(weight: Mapping[FeatureGroup, float], people: ProfileMatrix) -> list[Reason]:
    (explained,) = explain_pairs(weighing(weight), strangers(people, [0], [1]))
    return list(json.loads(explained))


def code(name: str, *detail: str) -> Reason:
    return {"code": name, "detail": list(detail)}


LIKELY = code(FALLBACK)
COMMON = code("in_common", "field of work (art)", "eats (plants)", "pets (cat)")
LIKE = [direction(1), direction(1)]


@pytest.mark.parametrize(
    ("group", "arrays", "reason"),
    [
        ("age", {"age": [30, 34]}, code("similar_age")),
        ("age", {"age": [30, 35]}, LIKELY),
        ("distance", {"place": [[52, 5], [52.2, 5]]}, code("close_by")),
        ("distance", {"place": [[52, 5], [52.3, 5]]}, LIKELY),
        ("distance", {"place": [[52, 5], [np.nan, 5]]}, LIKELY),
        ("interests", {"interests": [[0.6, 0, 0.8, 0], [0, 0.6, 0.8, 0]]}, code("shared_interests", "chess")),
        ("interests", {"interests": [[0.6, 0.8, 0, 0], [0, 0, 0.6, 0.8]]}, LIKELY),
        ("interests", {"interests": [[0.2, 0.3, 0.5, 0.4]] * 2}, code("shared_interests", "chess", "tea", "dogs")),
        ("texts", {"texts": [LIKE, LIKE]}, code("similar_answers")),
        ("texts", {"texts": [LIKE, [direction(3, 4), direction(0, 1)]]}, code("similar_answers")),
        ("texts", {"texts": [LIKE, [direction(2, 4), direction(1)]]}, LIKELY),
        ("texts", {"texts": [LIKE, SILENT]}, LIKELY),
        ("facts", {"facts": [[1, 0, -1, 0], [1, 2, -1, 1]]}, code("in_common", "smokes (yes)")),
        ("facts", {"facts": [[0, 2, 0, 1]] * 2}, COMMON),
        ("facts", {"facts": [[2, 1, -1, 2]] * 2}, LIKELY),
        ("facts", {"facts": [[0, 0, 0, 0], [1, 2, 1, 1]]}, LIKELY),
        ("traits", {"traits": [[1, 2], [1, -0.4]]}, code("similar_nature")),
        ("traits", {"traits": [[-1, 0], [-2, 0]]}, code("similar_nature")),
        ("traits", {"traits": [[1, 2], [1, -0.6]]}, LIKELY),
        ("traits", {"traits": [[0, 0], [1, 1]]}, LIKELY),
        ("wants", {"wants": [[2, 0], [0, 0]], "traits": [[0, 0], [1, -9]]}, code("what_you_look_for")),
        ("wants", {"wants": [[2, 0], [0, 0]], "traits": [[0, 0], [-1, 9]]}, LIKELY),
        ("wants", {"wants": [[-2, 0], [0, 0]], "traits": [[0, 0], [-1, 0]]}, LIKELY),
        ("wants", {"wants": [[0, 5], [3, 0]], "traits": [[1, 0], [1, 0]]}, LIKELY),
    ],
)
def test_a_reason_is_said_only_when_it_is_true(
    group: FeatureGroup, arrays: Mapping[str, object], reason: Reason
) -> None:
    assert said({group: 1.0}, two(**arrays)) == [reason]


@pytest.mark.parametrize("texts", [[SILENT, LIKE], [LIKE, SILENT], [SILENT, SILENT]])
def test_no_answers_are_not_similar_where_most_are_contrary(texts: list[object]) -> None:
    contrary = replace(MADE, ordinary=replace(MADE.ordinary, texts_cosine=(-0.5, -0.5)))
    ranker = replace(weighing({"texts": 1.0}), specification=contrary)
    assert explain_pairs(ranker, strangers(two(texts=texts), [0], [1])) == [json.dumps([LIKELY])]


ALIKE = two(
    age=[30, 30],
    place=[[52, 5], [52, 5]],
    interests=[[1, 0, 0, 0]] * 2,
    texts=[LIKE, LIKE],
    facts=[[0, 0, 0, 0]] * 2,
    traits=[[1, 1]] * 2,
    wants=[[1, 1]] * 2,
)


def test_the_three_largest_contributions_are_said_in_order() -> None:
    order: list[FeatureGroup] = ["wants", "age", "texts", "interests", "traits", "facts", "distance"]
    assert set(order) == set(EXPLAINED)
    weight: dict[FeatureGroup, float] = {group: 7.0 - place for place, group in enumerate(order)}
    assert [each["code"] for each in said(weight, ALIKE)] == ["what_you_look_for", "similar_age", "similar_answers"]


def test_what_is_untrue_or_against_a_like_is_not_said() -> None:
    weight: dict[FeatureGroup, float] = {"interests": 5, "age": 4, "texts": 3, "distance": 2, "facts": 1}
    near = two(place=[[52, 5], [52, 5]], texts=[LIKE, LIKE])
    assert [each["code"] for each in said(weight, near)] == ["similar_answers", "close_by"]
    assert said({"age": -1.0, "distance": 0.0, "texts": 1.0}, ALIKE) == [code("similar_answers")]
    assert said(dict.fromkeys(EXPLAINED, -1.0), ALIKE) == [LIKELY]


def test_what_most_cards_share_is_said_where_nothing_else_is() -> None:
    """Four of five candidates are of her age, which counts most; one lives close by, two like what she likes."""
    people = crowd(
        6,
        MADE,
        age=[30, 30, 30, 30, 30, 60],
        place=[[52, 5], [52, 5], *[[0, 0]] * 4],
        interests=[[0.5, 0, 0.5, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0] * 4, [0] * 4],
        facts=[[-1] * 4] * 6,
    )
    ranker = weighing({"age": 9.0, "interests": 2.0, "distance": 1.0})
    explained = explain_pairs(ranker, strangers(people, [0] * 5, [1, 2, 3, 4, 5]))
    cats, chess = code("shared_interests", "cats"), code("shared_interests", "chess")
    expected = [code("close_by")], [cats], [chess], [code("similar_age")], [LIKELY]
    assert [json.loads(each) for each in explained] == [*expected]


def test_the_rarer_of_two_reasons_is_said_first() -> None:
    people = crowd(6, MADE, age=[30, 30, 30, 60, 60, 60], place=[[52, 5], [52, 5], *[[0, 0]] * 4], facts=[[-1] * 4] * 6)
    pairs = strangers(people, [0] * 5, [1, 2, 3, 4, 5])
    for weight, expected in ((1.2, ["close_by", "similar_age"]), (1.8, ["similar_age", "close_by"])):
        explained = explain_pairs(weighing({"age": weight, "distance": 1.0}), pairs)
        assert [each["code"] for each in json.loads(explained[0])] == expected, weight


def test_what_a_profile_does_not_show_is_never_a_reason() -> None:
    """However much it counts: history, what the candidate wants, and each user's own features."""
    silent: dict[FeatureGroup, float] = {"hidden": 100.0, "viewer": 100.0, "candidate": 100.0}
    assert set(GROUPS) == set(EXPLAINED) | set(silent)
    assert said(silent, ALIKE) == [LIKELY]
    assert said(silent | {"age": 1.0}, ALIKE) == [code("similar_age")]


def test_each_pair_has_its_own_reasons_in_any_batch() -> None:
    people = crowd(4, MADE, age=[30, 30, 60, 60], place=[[52, 5], [0, 0], [52, 5], [0, 0]], facts=[[-1] * 4] * 4)
    ranker = weighing({"age": 2.0, "distance": 1.0})
    pairs = strangers(people, [0, 0, 0, 1, 2], [1, 2, 3, 3, 3])
    whole = explain_pairs(ranker, pairs)
    assert [[each["code"] for each in json.loads(one)] for one in whole] == [
        ["similar_age"], ["close_by"], ["likely_mutual"], ["close_by"], ["similar_age"],
    ]  # fmt: skip
    assert explain_pairs(ranker, pairs, pairs_per_batch=2) == whole
    assert explain_pairs(ranker, strangers(people, [], [])) == []


def test_the_prior_says_what_a_pair_has_more_than_an_ordinary_one() -> None:
    """The ordinary gap is 6 years, the ordinary distance 10 km: 20 km is close by, but no reason for a like."""
    ranker = build_prior(MADE, NAMES, np.zeros(0, bool))
    explained = json.loads(explain_pairs(ranker, strangers(ALIKE, [0], [1]))[0])
    assert [each["code"] for each in explained] == ["shared_interests", "similar_answers", "similar_age"]
    farther = two(age=[30, 30], place=[[52, 5], [52.18, 5]])
    assert explain_pairs(ranker, strangers(farther, [0], [1])) == [json.dumps([code("similar_age")])]
    assert explain_pairs(ranker, strangers(two(), [0], [1])) == [json.dumps([LIKELY])]
