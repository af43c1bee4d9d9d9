"""A town as arrays by position, by hand."""

import numpy as np
import pandas as pd

from models.ml.eligibility.rules import find_eligible
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.ranker_model import build_prior
from models.ml.scoring.scoring_context import build_scoring_context
from tests.models_ml.conftest import answers, direction, interactions, profiles, specification

TOWN = profiles(
    {"gender": "woman", "seeks": ["man"], "age": 31},
    {"gender": "man", "seeks": ["woman"], "age": 32},
    {"gender": "man", "seeks": ["woman"], "age": 33},
)
BLOCKS = pd.DataFrame([("c", "a"), ("b", "erased"), ("erased", "c")], columns=["blocker_id", "blocked_id"])
NO_BLOCKS = BLOCKS.head(0)
ACTS = interactions(("a", "b", "pass", 1), ("b", "a", "like", 2), ("a", "b", "like", 3))


NAMES = [name for name, _ in list_feature_groups(specification())]
PRIOR = build_prior(specification(), NAMES, np.zeros(0, bool))


def test_a_town_of_three() -> None:
    said = answers(("b", "about", direction(1)), ("rejected", "about", direction(1)))
    town = build_scoring_context(PRIOR, TOWN, ACTS, BLOCKS, said)
    assert town.profiles.ids.tolist() == ["a", "b", "c"]
    assert town.profiles.age.tolist() == [31, 32, 33]
    assert town.profiles.texts[:, 0, 0].tolist() == [0, 1, 0]
    assert find_eligible(town.pools.rules, np.array([0])).tolist() == [[False, True, True]]
    np.testing.assert_array_equal(town.build_pairs(np.array([1]), np.array([2])).history.viewer_given.likes, [1])
    # a's last word on b counts, b's on a: one decision each.
    for side in (town.history.given, town.history.received):
        assert (side.decisions.tolist(), side.likes.tolist()) == ([1, 1, 0], [1, 1, 0])


def closed_pairs(town: pd.DataFrame, acts: pd.DataFrame, blocks: pd.DataFrame) -> set[tuple[int, int]]:
    closed = build_scoring_context(PRIOR, town, acts, blocks, NO_ANSWERS).excluded_pairs
    return set(zip(*(side.tolist() for side in closed), strict=True))


def test_a_like_closes_a_pair_to_whoever_liked_and_a_pass_or_a_block_to_both() -> None:
    assert closed_pairs(TOWN, ACTS.iloc[[1]], NO_BLOCKS) == {(1, 0)}
    assert closed_pairs(TOWN, ACTS.iloc[[0]], NO_BLOCKS) == {(0, 1), (1, 0)}
    assert closed_pairs(TOWN, ACTS.iloc[[0, 2]], NO_BLOCKS) == {(0, 1)}  # the last word counts
    assert closed_pairs(TOWN, ACTS.head(0), BLOCKS) == {(2, 0), (0, 2)}


def test_whoever_s_last_word_is_a_pass_passed_on_the_other() -> None:
    acts = interactions(("a", "b", "pass", 1), ("a", "b", "like", 2), ("b", "a", "like", 1), ("c", "a", "pass", 3))
    town = build_scoring_context(PRIOR, TOWN, acts, BLOCKS, NO_ANSWERS)
    assert [side.tolist() for side in town.passed_on] == [[0], [2]]


def test_positions_are_the_rows_of_the_frame() -> None:
    turned = TOWN[::-1].reset_index(drop=True)
    upside_down = build_scoring_context(PRIOR, turned, ACTS.head(1), BLOCKS, NO_ANSWERS)
    assert upside_down.profiles.ids.tolist() == ["c", "b", "a"]
    assert closed_pairs(turned, ACTS.tail(1), BLOCKS) == {(2, 1), (0, 2), (2, 0)}
    assert upside_down.history.given.decisions.tolist() == [0, 0, 1]


def test_a_town_where_nothing_happened() -> None:
    town = build_scoring_context(PRIOR, TOWN, ACTS.head(0), NO_BLOCKS, NO_ANSWERS)
    assert [len(side) for side in town.excluded_pairs] == [0, 0]
    assert town.excluded_pairs[0].dtype == np.int64
    assert not town.history.received.decisions.any()
