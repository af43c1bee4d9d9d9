"""The features of a pair: one worked out by hand, and what a missing answer may not do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import (
    HISTORY_FEATURES,
    Pairs,
    build_features,
    build_features_both_ways,
    build_history_features,
    build_profile_features,
    has_no_history,
    list_feature_groups,
    make_empty_history,
)
from models.ml.profiles.feature_spec import CategoricalFeature, DefaultValues, FeatureSpec
from models.ml.profiles.profile_matrix import ProfileMatrix
from tests.models_ml.conftest import crowd, direction, number, positions, specification, strangers, tally
from tests.models_ml.profiles.test_geography import DEGREE

MADE = specification(
    genders=["man", "woman"],
    traits=[number("warmth", 0, 1), number("height", 0, 1)],
    wants=[number("warmth", 0, 1), number("wealth", 0, 1), number("shared_interests", 0, 1)],
    facts=[CategoricalFeature("smokes", ("no", "yes"), (0.5, 0.3))],
    interests={"cats": 1.0, "dogs": 1.0},
    prompts=["about"],
    ordinary=DefaultValues(age_gap=4.0, distance_km=20.0, interests_cosine=0.25, texts_cosine=(0.375, 0.125)),
)
SILENT = np.zeros(384)
HE, SHE, MUTE, RARE = range(4)
TOWN = crowd(
    4,
    MADE,
    gender=[0, 1, -1, -1],
    age=[30, 27, 40, 20],
    place=[[52, 5], [53, 5], [np.nan, 5], [52, 5]],
    traits=[[1, 2], [2, -1], [0, 0], [0, 1]],
    has_trait=[[True, True], [True, True], [False, False], [True, True]],
    wants=[[0.5, 1, 2], [-2, 0, 1], [0, 0, 0], [0, 0, 0]],
    facts=[[1], [1], [-1], [2]],
    interests=[[0.6, 0.8], [1, 0], [0, 0], [0, 1]],
    texts=[
        [direction(1), direction(0, 1)],
        [direction(1, 1), direction(0, -1)],
        [SILENT, SILENT],
        [direction(1), SILENT],
    ],
)
NAMES = [name for name, _ in list_feature_groups(MADE)]


def features(pairs: Pairs) -> list[dict[str, float]]:
    rows = build_features(MADE, pairs)
    assert rows.dtype == np.float32
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in rows]


def test_a_pair_by_hand() -> None:
    """He decided 5 times, she once; 2 decided about him and 7 about her."""
    known = PairHistory(
        tally([5], [3], [1.8]), tally([2], [1], [-0.5]), tally([1], [0], [-0.4]), tally([7], [6], [2.5])
    )
    (pair,) = features(Pairs(TOWN, positions(HE), positions(SHE), known))
    expected = {
        "age.viewer": 30, "age.candidate": 27, "age.gap": -3, "age.distance": 3,
        "distance.log_km": math.log(1 + DEGREE),
        "gender.viewer=man": 1, "gender.candidate=man": 0, "age.gap.viewer=man": -3,
        "gender.viewer=woman": 0, "gender.candidate=woman": 1, "age.gap.viewer=woman": 0,
        "interests.cosine": 0.6, "texts.cosine": math.sqrt(1 / 2), "texts.about.cosine": -1,
        "trait.warmth.viewer": 1, "trait.warmth.candidate": 2, "trait.warmth.distance": 1,
        "trait.height.viewer": 2, "trait.height.candidate": -1, "trait.height.distance": 3,
        "trait.cosine": 0,  # 1 · 2 + 2 · (-1)
        "fact.smokes.same": 1,
        "fact.smokes.viewer=no": 0, "fact.smokes.candidate=no": 0,
        "fact.smokes.viewer=yes": 1, "fact.smokes.candidate=yes": 1,
        "want.warmth.viewer": 0.5, "want.warmth.candidate": -2,
        "want.warmth.met": 1, "want.warmth.met_back": -2,  # 0.5 · 2 and -2 · 1
        "want.wealth.viewer": 1, "want.wealth.candidate": 0,
        "want.shared_interests.viewer": 2, "want.shared_interests.candidate": 1,
        "want.shared_interests.met": 0.7,  # 2 · (0.6 - 0.25)
        # shrunk by 4 decisions given, by 3 received
        "history.viewer.given.surprise": 1.8 / 9, "history.viewer.given.log_count": math.log(6),
        "history.viewer.received.surprise": -0.5 / 5, "history.viewer.received.log_count": math.log(3),
        "history.candidate.given.surprise": -0.4 / 5, "history.candidate.given.log_count": math.log(2),
        "history.candidate.received.surprise": 2.5 / 10, "history.candidate.received.log_count": math.log(8),
    }  # fmt: skip
    assert list(pair) == list(expected)
    assert pair == pytest.approx(expected, abs=1e-3)


def test_what_was_not_said_is_ordinary() -> None:
    (pair,) = features(strangers(TOWN, [HE], [MUTE]))
    ordinary = {
        "distance.log_km": math.log(21), "interests.cosine": 0.25, "texts.cosine": 0.375, "texts.about.cosine": 0.125,
        "trait.warmth.candidate": 0, "trait.height.candidate": 0, "trait.cosine": 0,
        "trait.warmth.distance": (2 + 1 + 0) / 3, "trait.height.distance": (3 + 2 + 1) / 3,
        "fact.smokes.same": 0.5**2 + 0.3**2, "fact.smokes.candidate=no": 0.5, "fact.smokes.candidate=yes": 0.3,
        "want.warmth.candidate": 0, "want.warmth.met": 0, "want.warmth.met_back": 0, "want.shared_interests.met": 0,
        "gender.candidate=man": 0, "gender.candidate=woman": 0,
        "history.viewer.given.surprise": 0, "history.viewer.given.log_count": 0,
        "history.candidate.received.surprise": 0, "history.candidate.received.log_count": 0,
    }  # fmt: skip
    assert {name: pair[name] for name in ordinary} == pytest.approx(ordinary)


def test_how_far_apart_two_are_of_whom_nothing_is_known() -> None:
    """A third each at -1, 0 and 1."""
    for pairs in (strangers(TOWN, [MUTE], [MUTE]), strangers(TOWN, [MUTE], [RARE])):
        (pair,) = features(pairs)
        expected = 8 / 9 if pairs.candidate[0] == MUTE else 2 / 3
        assert pair["trait.warmth.distance"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("his", "hers", "same", "his_no", "her_no"),
    [
        (0, 0, 1, 1, 1),
        (0, 1, 0, 1, 0),
        (1, 0, 0, 0, 1),
        (0, 2, 0, 1, 0),
        (0, -1, 0.34, 1, 0.5),
        (-1, 0, 0.34, 0.5, 1),
        (-1, -1, 0.34, 0.5, 0.5),
    ],
)
def test_a_fact_of_two_people(his: int, hers: int, same: float, his_no: float, her_no: float) -> None:
    """no 0, yes 1, rarer 2, not said -1. Half of those asked say no and 3 in 10 yes: 0.25 + 0.09 say the same."""
    (pair,) = features(strangers(crowd(2, MADE, facts=[[his], [hers]]), [0], [1]))
    names = ("fact.smokes.same", "fact.smokes.viewer=no", "fact.smokes.candidate=no")
    assert [pair[name] for name in names] == pytest.approx([same, his_no, her_no])


def test_the_cosine_of_traits_does_not_depend_on_how_strong_they_are() -> None:
    town = crowd(3, MADE, traits=[[0.3, 0.4], [0.03, 0.04], [-8, 6]])
    assert [pair["trait.cosine"] for pair in features(strangers(town, [0, 0], [1, 2]))] == pytest.approx(
        [1, 0], abs=1e-6
    )


def test_a_rare_category_is_known_but_none_of_the_common_ones() -> None:
    """Two people of rare categories need not share one."""
    (pair,) = features(strangers(TOWN, [RARE], [RARE]))
    assert [value for name, value in pair.items() if name.startswith("fact.")] == [0, 0, 0, 0, 0]


@st.composite
def many_pairs(draw: st.DrawFn) -> Pairs:
    people = st.lists(st.integers(0, 3), min_size=1, max_size=20)
    viewer = draw(people)
    candidate = draw(st.lists(st.integers(0, 3), min_size=len(viewer), max_size=len(viewer)))
    count = st.lists(st.integers(0, 9), min_size=len(viewer), max_size=len(viewer))
    likes = [draw(count) for _ in range(4)]
    tallies = [tally([like + more for like, more in zip(each, draw(count), strict=True)], each) for each in likes]
    return Pairs(TOWN, positions(*viewer), positions(*candidate), PairHistory(*tallies))


@given(many_pairs())
def test_a_pair_s_features_do_not_depend_on_the_other_pairs(pairs: Pairs) -> None:
    together = build_features(MADE, pairs)
    alone = [build_features(MADE, pairs.take(slice(row, row + 1))) for row in range(len(pairs))]
    np.testing.assert_array_equal(together, np.concatenate(alone))


@given(many_pairs())
def test_both_ways_are_those_of_the_pairs_and_of_the_pairs_reversed_to_the_bit(pairs: Pairs) -> None:
    there, back = build_features_both_ways(MADE, pairs)
    np.testing.assert_array_equal(there, build_features(MADE, pairs))
    np.testing.assert_array_equal(back, build_features(MADE, pairs.reverse()))


@given(many_pairs())
def test_reversing_twice_changes_nothing(pairs: Pairs) -> None:
    twice = pairs.reverse().reverse()
    np.testing.assert_array_equal(build_features(MADE, twice), build_features(MADE, pairs))
    assert twice.viewer.tolist() == pairs.viewer.tolist()


# What only the viewer's side says: how much the other is older than one of that gender, whether a wish is met.
ONE_SIDED = {"age.gap.viewer=man", "age.gap.viewer=woman", "want.shared_interests.met"}


def mirrored(name: str) -> str:
    """The name of the same feature seen from the other side, if it is seen from there."""
    swapped = name.replace("viewer", "\0").replace("candidate", "viewer").replace("\0", "candidate")
    sides = {"want.warmth.met": "want.warmth.met_back", "want.warmth.met_back": "want.warmth.met"}
    return sides.get(swapped, swapped)


@given(many_pairs())
def test_the_other_side_sees_the_same_pair_mirrored(pairs: Pairs) -> None:
    for there, back in zip(features(pairs), features(pairs.reverse()), strict=True):
        there["age.gap"] = -there["age.gap"]
        seen = {mirrored(name): value for name, value in there.items() if name not in ONE_SIDED}
        assert seen == {name: value for name, value in back.items() if name not in ONE_SIDED}


@pytest.mark.parametrize("made", [MADE, specification(), specification(interests={"cats": 0.0})])
def test_every_column_has_a_name_of_its_own_and_is_finite(made: FeatureSpec) -> None:
    names = [name for name, _ in list_feature_groups(made)]
    people: ProfileMatrix = crowd(3, made)
    rows = build_features(made, strangers(people, [0, 1, 2], [1, 2, 0]))
    assert rows.shape == (3, len(names))
    assert len(set(names)) == len(names)
    assert np.isfinite(rows).all()
    assert build_features(made, strangers(people, [], [])).shape == (0, len(names))


def test_what_a_person_does_not_show_explains_nothing() -> None:
    hidden = {name for name, group in list_feature_groups(MADE) if group == "hidden"}
    assert hidden == {name for name in NAMES if name.startswith("history.")} | {
        "want.warmth.candidate", "want.wealth.candidate", "want.shared_interests.candidate", "want.warmth.met_back",
    }  # fmt: skip


@given(many_pairs())
def test_profiles_first_then_what_is_known_of_likes(pairs: Pairs) -> None:
    together = build_features(MADE, pairs)
    np.testing.assert_array_equal(together[:, :-HISTORY_FEATURES], build_profile_features(MADE, pairs))
    np.testing.assert_array_equal(together[:, -HISTORY_FEATURES:], build_history_features(pairs.history))
    assert [name.startswith("history.") for name in NAMES] == [False] * (len(NAMES) - HISTORY_FEATURES) + [
        True
    ] * HISTORY_FEATURES


def test_of_whose_likes_nothing_is_known_history_says_nothing() -> None:
    assert not build_history_features(make_empty_history(3)).any()


@pytest.mark.parametrize("one_sided", [False, True])
def test_what_is_missing_leaves_no_trace(one_sided: bool) -> None:
    """Of two who are alike but for what only one was asked, all features are those of the most ordinary answers."""
    ordinary = {"traits": [[0, 0]] * 2, "wants": [[0, 0, 0]] * 2}
    asked = crowd(2, MADE, **ordinary, facts=[[0], [0]], interests=[[0.6, 0.8]] * 2)
    silent = crowd(2, MADE, **ordinary, facts=[[0], [-1]], interests=[[0.6, 0.8], [0, 0]])
    pair = ([0], [1]) if one_sided else ([1], [0])
    with_it, without = features(strangers(asked, *pair))[0], features(strangers(silent, *pair))[0]
    changed = {name for name in NAMES if with_it[name] != without[name]}
    side = "candidate" if one_sided else "viewer"
    assert changed == {
        "interests.cosine", "fact.smokes.same", f"fact.smokes.{side}=no", f"fact.smokes.{side}=yes",
    }  # fmt: skip
    assert without["interests.cosine"] == 0.25
    assert without[f"fact.smokes.{side}=no"] == 0.5


def test_of_whom_nothing_is_known() -> None:
    """One decision about one of the two is something."""
    none, one = [0] * 5, [0, 1, 0, 0, 0]
    sides = [tally([*none[:side], *one, *none[side:]][:5], none) for side in range(4)]
    pairs = Pairs(TOWN, positions(*[HE] * 5), positions(*[SHE] * 5), PairHistory(*sides))
    assert has_no_history(build_features(MADE, pairs)).tolist() == [True, False, False, False, False]
