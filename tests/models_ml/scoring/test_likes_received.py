"""Pending likes: which there are, as a receiver would rank them, and as columns of the lists, also on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.pair_features import HISTORY_FEATURES, list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker, build_prior
from models.ml.scoring.candidates import score_both_ways
from models.ml.scoring.likes_columns import add_likes_received
from models.ml.scoring.likes_received import LikesReceived, find_pending_likes, rank_likes_received
from models.ml.scoring.list_frames import extract_pairs, iterate_records, remove_profiles
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from models.ml.scoring.withheld_column import add_withheld
from pipelines.store.frame_store import convert_from_table, convert_to_table
from tests.models_ml.conftest import crowd, interactions, positions, profiles, specification
from tests.models_ml.scoring.contexts import make_context
from tests.models_ml.scoring.test_list_frames import frame, on_disk, store

SPEC = specification(interests={"tea": 0.5, "chess": 0.5})
NAMES = [name for name, _ in list_feature_groups(SPEC)]
PEOPLE = profiles(
    {"gender": "woman", "seeks": ["man"]},
    {"gender": "man", "seeks": ["woman"]},
    {"gender": "man", "seeks": ["woman"]},
    {"gender": "man", "seeks": ["man"]},
    {"gender": "man", "seeks": ["woman"], "paused": True},
)
EVENTS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.sampled_from(["like", "pass"]), st.integers(1, 9)),
    max_size=25,
)
BLOCKS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=2)


@given(EVENTS, BLOCKS)
def test_pending_likes_are_those_of_the_definition(
    acts: list[tuple[str, str, str, int]], blocked: list[tuple[str, str]]
) -> None:
    acts = [act for act in acts if act[0] != act[1]]
    happened, blocks = interactions(*acts), pd.DataFrame(blocked, columns=["blocker_id", "blocked_id"], dtype=str)
    prior = build_prior(SPEC, NAMES, np.zeros(0, bool))
    context = build_scoring_context(prior, PEOPLE, happened, blocks, NO_ANSWERS)
    receiver, sender = find_pending_likes(context)
    last = {(actor, target): kind for actor, target, kind, _ in sorted(acts, key=lambda act: act[3])}
    fit = {("a", "b"), ("a", "c"), ("b", "a"), ("c", "a")}
    expected = {
        (target, actor)
        for (actor, target), kind in last.items()
        if kind == "like"
        and (target, actor) in fit
        and (target, actor) not in last
        and not {(actor, target), (target, actor)} & set(blocked)
    }
    found = [("abcde"[one], "abcde"[other]) for one, other in zip(receiver, sender, strict=True)]
    assert set(found) == expected
    assert len(found) == len(expected)


def make_ranked_context() -> ScoringContext:
    """Five users, of whom the last two are alike. All like older users more, and the older a user is, the less."""
    weights = np.select([np.array(NAMES) == name for name in ("age.viewer", "age.candidate")], [-0.1, 0.05])
    cold, linear = LinearModel(weights[:-HISTORY_FEATURES], 0.0), LinearModel(weights, -0.4)
    ranker = Ranker(SPEC, cold, linear, np.zeros(len(NAMES)), slope=1.0, shift=0.0, booster=None)
    people = crowd(5, SPEC, interests=[[1, 0], [0, 1], [1, 1], [1, 0], [1, 0]], age=[20, 40, 25, 22, 22])
    return make_context(ranker, people)


def test_a_receiver_s_likes_are_in_the_order_of_p_like() -> None:
    context = make_ranked_context()
    receiver, sender = positions(0, 2, 0, 0, 1), positions(1, 0, 2, 3, 0)
    likes = rank_likes_received(context, receiver, sender)
    scored = score_both_ways(context, likes.receiver, likes.sender)
    assert sorted(zip(likes.receiver, likes.sender, strict=True)) == sorted(zip(receiver, sender, strict=True))
    assert likes.receiver.tolist() == [0, 0, 0, 1, 2]
    assert likes.sender[:3].tolist() == [1, 2, 3], "the oldest first, though they like back the least"
    assert (np.diff(likes.p_match[:3]) > 0).all()
    np.testing.assert_array_equal(likes.p_like, scored.p_like)
    np.testing.assert_array_equal(likes.p_match, scored.p_like * scored.p_liked_back)
    assert (likes.p_match < likes.p_like).all()
    pairs = context.build_pairs(likes.receiver, likes.sender)
    assert likes.reasons == explain_pairs(context.ranker, pairs)


def test_equal_likes_have_an_order_that_the_input_does_not_choose() -> None:
    context = make_ranked_context()
    one, other = (rank_likes_received(context, positions(0, 0), positions(*order)) for order in ((3, 4), (4, 3)))
    assert one.p_like[0] == one.p_like[1]
    assert one.sender.tolist() == other.sender.tolist()


def test_without_likes_there_is_nothing_to_rank() -> None:
    likes = rank_likes_received(make_ranked_context(), positions(), positions())
    assert (len(likes.receiver), len(likes.p_like), likes.reasons) == (0, 0, [])


# Of ann, cat and ben, the last of whom has no list: ann is liked by cat and ben, ben by ann.
IDS = np.array(["ann", "ben", "cat"])
LIKES = LikesReceived(
    receiver=positions(0, 0, 1),
    sender=positions(2, 1, 0),
    p_like=np.array([0.5, 0.25, 0.75], np.float32),
    p_match=np.array([0.125, 0.0625, 0.5], np.float32),
    reasons=['[{"code": "x", "detail": []}]', "[]", '[{"code": "y", "detail": []}]'],
)
Received = dict[str, tuple[list[str], list[float], list[float], str]]
RECEIVED: Received = {
    "ann": (["cat", "ben"], [0.5, 0.25], [0.125, 0.0625], '[[{"code": "x", "detail": []}], []]'),
    "ben": (["ann"], [0.75], [0.5], '[[{"code": "y", "detail": []}]]'),
    "cat": ([], [], [], "[]"),
}


def received(made: pd.DataFrame) -> Received:
    return {
        each.viewer_id: ([*each.likes_ids], [*each.likes_p_like], [*each.likes_p_match], each.likes_reasons)
        for each in iterate_records(made)
    }


@pytest.mark.parametrize("listed", [[2, 0, 1], []])
def test_everybody_who_is_liked_has_a_row(listed: list[int], tmp_path: Path) -> None:
    lists = add_withheld(frame(listed, []), ["cat"], ["ben"])
    made = add_likes_received(lists, LIKES, IDS)
    for each in (made, on_disk(made, tmp_path)):
        assert received(each) == RECEIVED
        of_lists = [record.viewer_id for record in iterate_records(each) if record.is_list]
        assert of_lists == (["ann", "cat"] if listed else [])
    viewer, candidate = extract_pairs(made, pd.Series(IDS))
    assert len(viewer) == len(listed) + 3
    assert {*zip(viewer[-3:].tolist(), candidate[-3:].tolist(), strict=True)} == {(0, 2), (0, 1), (1, 0)}


def test_without_likes_the_columns_are_empty(tmp_path: Path) -> None:
    nothing = LikesReceived(positions(), positions(), np.empty(0, np.float32), np.empty(0, np.float32), [])
    made = on_disk(add_likes_received(frame([0], []), nothing, IDS), tmp_path)
    assert received(made) == {"ann": ([], [], [], "[]")}
    assert received(convert_from_table(remove_profiles(convert_to_table(made), {"cat"}))) == {"ann": ([], [], [], "[]")}


@pytest.mark.parametrize("gone", ["ann", "ben", "cat"])
def test_an_erased_user_is_in_no_pending_likes(gone: str, tmp_path: Path) -> None:
    stored = store(add_likes_received(add_withheld(frame([2, 1], []), [], []), LIKES, IDS), tmp_path)
    left = convert_from_table(remove_profiles(stored, {gone}))
    expected: dict[str, Received] = {
        "ann": {"ben": ([], [], [], "[]"), "cat": RECEIVED["cat"]},
        "ben": {"ann": (["cat"], [0.5], [0.125], '[[{"code": "x", "detail": []}]]'), "cat": RECEIVED["cat"]},
        "cat": {"ann": (["ben"], [0.25], [0.0625], "[[]]"), "ben": RECEIVED["ben"]},
    }
    assert received(left) == expected[gone]
