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
from models.ml.profiles.feature_spec import FeatureSpec
from tests.models_ml.conftest import FULL_SPEC, crowd, direction, positions, specification, strangers, tally
from tests.models_ml.profiles.test_geography import DEGREE

SILENT = np.zeros(384)
HE, SHE, MUTE, RARE = range(4)
PEOPLE = crowd(
    4,
    FULL_SPEC,
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
NAMES = [name for name, _ in list_feature_groups(FULL_SPEC)]


def features(pairs: Pairs) -> list[dict[str, float]]:
    rows = build_features(FULL_SPEC, pairs)
    assert rows.dtype == np.float32
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in rows]


def test_a_pair_by_hand() -> None:
    """He decided 5 times, she once; 2 decided about him and 7 about her."""
    known = PairHistory(
        tally([5], [3], [1.8]), tally([2], [1], [-0.5]), tally([1], [0], [-0.4]), tally([7], [6], [2.5])
    )
    (pair,) = features(Pairs(PEOPLE, positions(HE), positions(SHE), known))
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
    (pair,) = features(strangers(PEOPLE, [HE], [MUTE]))
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


def test_the_distance_of_unknown_traits() -> None:
    """A third each at -1, 0 and 1."""
    pairs = features(strangers(PEOPLE, [MUTE, MUTE], [MUTE, RARE]))
    assert [pair["trait.warmth.distance"] for pair in pairs] == pytest.approx([8 / 9, 2 / 3])


def test_facts_of_two_people() -> None:
    """no 0, yes 1, rarer 2, not said -1. Half of those asked say no and 3 in 10 yes: 0.25 + 0.09 say the same."""
    codes = [0, 1, 2, -1]
    viewer, candidate = (each.ravel().tolist() for each in np.indices((4, 4)))
    pairs = features(strangers(crowd(4, FULL_SPEC, facts=[[code] for code in codes]), viewer, candidate))
    same = [1, 0, 0, 0.34, 0, 1, 0, 0.34, 0, 0, 0, 0.34, 0.34, 0.34, 0.34, 0.34]  # rarer answers may differ
    no = [1, 0, 0, 0.5]
    assert [pair["fact.smokes.same"] for pair in pairs] == pytest.approx(same)
    assert [pair["fact.smokes.viewer=no"] for pair in pairs] == [no[each] for each in viewer]
    assert [pair["fact.smokes.candidate=no"] for pair in pairs] == [no[each] for each in candidate]


def test_the_cosine_of_traits_ignores_how_strong_they_are() -> None:
    people = crowd(3, FULL_SPEC, traits=[[0.3, 0.4], [0.03, 0.04], [-8, 6]])
    found = [pair["trait.cosine"] for pair in features(strangers(people, [0, 0], [1, 2]))]
    assert found == pytest.approx([1, 0], abs=1e-6)


# What only the viewer's side says.
ONE_SIDED = {"age.gap.viewer=man", "age.gap.viewer=woman", "want.shared_interests.met"}


def mirror(name: str) -> str:
    """The name of the same feature seen from the other side, if it is seen from there."""
    swapped = name.replace("viewer", "\0").replace("candidate", "viewer").replace("\0", "candidate")
    sides = {"want.warmth.met": "want.warmth.met_back", "want.warmth.met_back": "want.warmth.met"}
    return sides.get(swapped, swapped)


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_features_in_any_company_and_from_both_sides(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    likes, passes = random.integers(0, 9, (2, 4, count))
    sides = [tally((liked + passed).tolist(), liked.tolist()) for liked, passed in zip(likes, passes, strict=True)]
    viewer, candidate = random.integers(0, 4, (2, count))
    pairs = Pairs(PEOPLE, viewer, candidate, PairHistory(*sides))
    together, there_and_back = build_features(FULL_SPEC, pairs), build_features_both_ways(FULL_SPEC, pairs)
    alone = [build_features(FULL_SPEC, pairs.take(slice(row, row + 1))) for row in range(len(pairs))]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    np.testing.assert_array_equal(there_and_back, [together, build_features(FULL_SPEC, pairs.reverse())])
    np.testing.assert_array_equal(build_features(FULL_SPEC, pairs.reverse().reverse()), together)
    np.testing.assert_array_equal(together[:, :-HISTORY_FEATURES], build_profile_features(FULL_SPEC, pairs))
    np.testing.assert_array_equal(together[:, -HISTORY_FEATURES:], build_history_features(pairs.history))
    for there, back in zip(features(pairs), features(pairs.reverse()), strict=True):
        there["age.gap"] = -there["age.gap"]
        seen = {mirror(name): value for name, value in there.items() if name not in ONE_SIDED}
        assert seen == {name: value for name, value in back.items() if name not in ONE_SIDED}


@pytest.mark.parametrize("spec", [FULL_SPEC, specification(), specification(interests={"cats": 0.0})])
def test_every_column_has_its_own_name_and_is_finite(spec: FeatureSpec) -> None:
    names = {name for name, _ in list_feature_groups(spec)}
    for viewer, candidate in (([0, 1, 2], [1, 2, 0]), ([], [])):
        rows = build_features(spec, strangers(crowd(3, spec), viewer, candidate))
        assert rows.shape == (len(viewer), len(names)) == (len(viewer), len(list_feature_groups(spec)))
        assert np.isfinite(rows).all()


def test_what_a_profile_does_not_show_is_hidden() -> None:
    hidden = {name for name, group in list_feature_groups(FULL_SPEC) if group == "hidden"}
    assert hidden == {name for name in NAMES if name.startswith("history.")} | {
        "want.warmth.candidate", "want.wealth.candidate", "want.shared_interests.candidate", "want.warmth.met_back",
    }  # fmt: skip


def test_one_decision_about_one_of_a_pair_is_a_history() -> None:
    """Row 0 has none, each other row one on one side."""
    decisions = np.eye(5, dtype=int)[1:].tolist()
    history = PairHistory(*(tally(side, [0] * 5) for side in decisions))
    pairs = Pairs(PEOPLE, positions(*[HE] * 5), positions(*[SHE] * 5), history)
    assert has_no_history(build_features(FULL_SPEC, pairs)).tolist() == [True, False, False, False, False]
    assert not build_history_features(make_empty_history(3)).any()
