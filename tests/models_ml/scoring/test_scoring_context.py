import numpy as np
import pandas as pd
import pytest

from models.ml.eligibility.rules import find_eligible
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.ranker_model import build_prior
from models.ml.scoring.scoring_context import build_scoring_context
from tests.models_ml.conftest import answers, direction, interactions, profiles, specification

PEOPLE = profiles(
    {"gender": "woman", "seeks": ["man"], "age": 31},
    {"gender": "man", "seeks": ["woman"], "age": 32},
    {"gender": "man", "seeks": ["woman"], "age": 33},
)
BLOCKS = pd.DataFrame([("c", "a"), ("b", "erased"), ("erased", "c")], columns=["blocker_id", "blocked_id"])
ACTS = interactions(("a", "b", "pass", 1), ("b", "a", "like", 2), ("a", "b", "like", 3))
NAMES = [name for name, _ in list_feature_groups(specification())]
PRIOR = build_prior(specification(), NAMES, np.zeros(0, bool))


def test_a_context_by_hand() -> None:
    said = answers(("b", "about", direction(1)), ("rejected", "about", direction(1)))
    context = build_scoring_context(PRIOR, PEOPLE, ACTS, BLOCKS, said)
    assert context.profiles.ids.tolist() == ["a", "b", "c"]
    assert context.profiles.age.tolist() == [31, 32, 33]
    assert context.profiles.texts[:, 0, 0].tolist() == [0, 1, 0]
    assert find_eligible(context.pools.rules, np.array([0])).tolist() == [[False, True, True]]
    np.testing.assert_array_equal(context.build_pairs(np.array([1]), np.array([2])).history.viewer_given.likes, [1])
    # a's last decision on b counts, b's on a: one each.
    for side in (context.history.given, context.history.received):
        assert (side.decisions.tolist(), side.likes.tolist()) == ([1, 1, 0], [1, 1, 0])


@pytest.mark.parametrize(
    ("rows", "blocks", "excluded", "passed_on"),
    [
        ([], 0, set(), set()),
        ([1], 0, {("b", "a")}, set()),
        ([0], 0, {("a", "b"), ("b", "a")}, {("b", "a")}),
        ([0, 2], 0, {("a", "b")}, set()),  # the last decision counts
        ([], 3, {("c", "a"), ("a", "c")}, set()),
        ([0, 1], 3, {("a", "b"), ("b", "a"), ("c", "a"), ("a", "c")}, {("b", "a")}),
    ],
)
def test_likes_exclude_one_way_passes_and_blocks_both(
    rows: list[int], blocks: int, excluded: set[tuple[str, str]], passed_on: set[tuple[str, str]]
) -> None:
    for people in (PEOPLE, PEOPLE[::-1].reset_index(drop=True)):
        context = build_scoring_context(PRIOR, people, ACTS.iloc[rows], BLOCKS.head(blocks), NO_ANSWERS)
        ids = people["profile_id"].to_numpy()
        for pairs, expected in ((context.excluded_pairs, excluded), (context.passed_on, passed_on)):
            assert pairs[0].dtype == np.int64
            assert set(zip(ids[pairs[0]], ids[pairs[1]], strict=True)) == expected
