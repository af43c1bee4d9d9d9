"""The policies by name: what each sorts by, what any list must be, and odd towns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.market import POLICIES, build_market_graph, rank_pairs
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import count_expected_matches
from tests.models_ml.conftest import positions
from tests.models_ml.market.scored import Pairs, crowded, keys, of_chances, pairs

ATTENTION = AttentionModel("inv", length=3)


@pytest.mark.parametrize(
    ("policy", "rows"),
    [("naive", [0, 1, 2]), ("product", [2, 1, 0]), ("harmonic", [2, 0, 1]), ("minimum", [2, 0, 1])],
)
def test_what_the_simple_policies_sort_by(policy: str, rows: list[int]) -> None:
    """p_like 0.9, 0.8, 0.5 and p_liked_back 0.3, 0.34, 0.6 … but for product the second is a little better."""
    p_like, back = np.array([1.0, 0.99, 0.6], np.float32), np.array([0.3, 0.305, 0.6], np.float32)
    if policy in ("harmonic", "minimum"):
        back[1] = 0.29
    scored = build_market_graph(positions(0, 0, 0), positions(1, 2, 3), p_like, back)
    assert rank_pairs(scored, policy, ATTENTION).tolist() == rows


def test_the_hash_of_the_keys_is_the_random_policy() -> None:
    scored = of_chances(np.random.default_rng(1).random((60, 60)), ~np.eye(60, dtype=bool))
    attention = AttentionModel(length=10)
    listed = rank_pairs(scored.town(), "random", attention)
    seen = np.bincount(scored.candidate[listed], minlength=60)
    assert 10 / 4 < seen.min() <= seen.max() < 10 * 2.5
    other = build_market_graph(
        scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys(60)[::-1].copy()
    )
    assert np.mean(rank_pairs(other, "random", attention) == listed) < 0.1


@settings(max_examples=40)
@given(pairs(), st.sampled_from(sorted(POLICIES)), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_lists_of_any_town(scored: Pairs, policy: str, length: int, seed: int) -> None:
    attention = AttentionModel("inv", length=length)
    listed = rank_pairs(scored.town(), policy, attention)
    # Eligible pairs only, each once, by viewer, as many as there is room for.
    assert len(set(listed.tolist())) == len(listed)
    assert (np.diff(scored.viewer[listed]) >= 0).all()
    room = np.minimum(np.bincount(scored.viewer, minlength=scored.people), length)
    assert np.bincount(scored.viewer[listed], minlength=scored.people).tolist() == room.tolist()
    # In whatever order the pairs come.
    turned = np.random.default_rng(seed).permutation(len(scored.viewer))
    np.testing.assert_array_equal(turned[rank_pairs(scored.taken(turned).town(), policy, attention)], listed)


@given(pairs(most=10), st.sampled_from(sorted(POLICIES)))
@settings(max_examples=20)
def test_people_may_be_numbered_anyhow(scored: Pairs, policy: str) -> None:
    """With the same keys everybody has the same list."""
    number = np.random.default_rng(len(scored.viewer)).permutation(scored.people)
    renumbered_keys = np.empty(scored.people, np.uint64)
    renumbered_keys[number] = keys(scored.people)
    chances = (scored.p_like, scored.p_liked_back)
    renumbered = build_market_graph(number[scored.viewer], number[scored.candidate], *chances, renumbered_keys)
    listed, again = rank_pairs(scored.town(), policy, ATTENTION), rank_pairs(renumbered, policy, ATTENTION)
    for who in range(scored.people):
        mine, theirs = listed[scored.viewer[listed] == who], again[scored.viewer[again] == who]
        assert mine.tolist() == theirs.tolist()


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_nobody_is_eligible(policy: str) -> None:
    none = np.empty(0, np.float32)
    assert rank_pairs(build_market_graph(positions(), positions(), none, none), policy, ATTENTION).tolist() == []
    assert (
        rank_pairs(build_market_graph(positions(), positions(), none, none, keys(3)), policy, ATTENTION).tolist() == []
    )


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_all_are_alike(policy: str) -> None:
    """A hundred people, all the same to each other, ten places: nobody is forgotten, nobody is everywhere."""
    scored = of_chances(np.full((100, 100), 0.3), ~np.eye(100, dtype=bool))
    seen = np.bincount(scored.candidate[rank_pairs(scored.town(), policy, AttentionModel(length=10))], minlength=100)
    assert 0 < seen.min() <= seen.max() < 25


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_nobody_or_everybody_likes_everybody(policy: str, chance: float) -> None:
    scored = of_chances(np.full((9, 9), chance), ~np.eye(9, dtype=bool))
    assert len(rank_pairs(scored.town(), policy, ATTENTION)) == 27


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_one_sided_town(policy: str) -> None:
    """Thirty people whom nobody may be shown to but one: the one has a list of three, each of the others the one."""
    eligible = np.zeros((31, 31), bool)
    eligible[0, 1:] = eligible[1:, 0] = True
    scored = of_chances(np.random.default_rng(2).random((31, 31)), eligible)
    listed = rank_pairs(scored.town(), policy, ATTENTION)
    assert scored.viewer[listed].tolist() == [0, 0, 0, *range(1, 31)]
    assert (scored.candidate[listed][3:] == 0).all()


def of_policy(scored: MarketGraph, policy: str, believed: AttentionModel, true: AttentionModel) -> float:
    return count_expected_matches(
        scored, true, compute_positions(scored, POLICIES[policy](scored, believed), true.length)
    )


def test_more_matches_where_the_inbox_is_congested_and_few_lost_where_it_is_not() -> None:
    scored = crowded(600, seed=8, share=0.2).town()
    congested, flat = (
        AttentionModel("inv", length=30, inbox_weight=1),
        AttentionModel("inv", "flat", length=30, inbox_weight=1),
    )
    hedged = AttentionModel("inv", length=30)
    assert hedged.inbox_weight == 0.5
    product, best = (of_policy(scored, policy, congested, congested) for policy in ("product", "best_response"))
    tuned = of_policy(scored, "transferable_utility", congested, congested)
    assert best > 1.3 * product
    assert best > 1.05 * tuned
    assert of_policy(scored, "best_response", hedged, congested) > 1.2 * product
    in_flat = of_policy(scored, "product", flat, flat)
    assert of_policy(scored, "best_response", hedged, flat) > 0.95 * in_flat
    assert of_policy(scored, "best_response", congested, flat) < 0.95 * in_flat
