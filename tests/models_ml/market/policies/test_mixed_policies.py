"""Several policies in one market: with one arm nothing changes, with two each answers to what the other does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.arrays import BoolArray
from models.ml.market import POLICIES
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.comparison import make_mixed_lists, make_policy_lists
from models.ml.market.exposure.vote_bounds import compute_caps
from models.ml.market.graph.market_graph import MarketGraph, weigh_matches
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.mixed_policies import PolicyArm, align_scores, score_mixture
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, pairs

ATTENTION = AttentionModel("inv", length=4, inbox_weight=1)


def split(graph: MarketGraph, first: BoolArray, *policies: str) -> list[PolicyArm]:
    """Two arms: the viewers of `first`, and all others."""
    sides = (first, ~first)
    return [PolicyArm(policy, side, graph, ATTENTION) for policy, side in zip(policies, sides, strict=True)]


@settings(max_examples=12)
@given(pairs(), st.sampled_from(sorted(POLICIES)), st.none() | st.just(1.0))
def test_one_arm_of_all_is_the_policy_to_the_bit(scored: Pairs, policy: str, bound: float | None) -> None:
    graph, allowance = scored.graph(), None if bound is None else np.full(scored.people, bound)
    arm = PolicyArm(policy, np.ones(scored.people, bool), graph, ATTENTION)
    np.testing.assert_array_equal(score_mixture([arm]), POLICIES[policy](graph, ATTENTION))
    plain = make_policy_lists(graph, ATTENTION, policy, allowance=allowance)
    mixed = make_mixed_lists([arm], allowance)
    assert mixed.policy == policy
    np.testing.assert_array_equal(mixed.positions, plain.positions)


@settings(max_examples=12)
@given(pairs(), st.sampled_from(["naive", "product", "random"]), SEEDS)
def test_lists_of_the_other_arm_stay_as_its_policy_makes_them(scored: Pairs, policy: str, seed: int) -> None:
    graph, first = scored.graph(), np.random.default_rng(seed).random(scored.people) < 0.5
    placed = make_mixed_lists(split(graph, first, policy, "best_response")).positions
    own = first[graph.viewer]
    np.testing.assert_array_equal(
        placed[own], compute_positions(graph, POLICIES[policy](graph, ATTENTION), ATTENTION.length)[own]
    )


def test_best_response_answers_the_lists_that_others_really_get() -> None:
    """It brings more matches beside naive lists than the lists that best response makes where all have it."""
    graph = crowded(200, seed=3).graph()
    first = np.random.default_rng(1).random(200) < 0.5
    mixed = make_mixed_lists(split(graph, first, "best_response", "naive")).positions
    alone = {name: make_policy_lists(graph, ATTENTION, name).positions for name in ("best_response", "naive")}
    unaware = np.where(first[graph.viewer], alone["best_response"], alone["naive"])
    counts = [count_expected_matches(graph, ATTENTION, lists) for lists in (alone["naive"], unaware, mixed)]
    assert counts[0] < counts[1] < counts[2]


def test_two_arms_of_best_response_each_follow_their_own_worth() -> None:
    """An arm that values matches of even candidates lists more of them, and the other arm does not."""
    scored = crowded(200, seed=5)
    graph, first = scored.graph(), np.arange(200) < 100
    even = (scored.viewer % 2 == 0) | (scored.candidate % 2 == 0)
    arms = split(graph, first, "best_response", "best_response")
    arms[0] = replace(arms[0], graph=weigh_matches(graph, np.where(even, 1.8, 0.2)))
    placed = make_mixed_lists(arms).positions
    shown = placed >= 0
    shares = [float(even[graph.pair][shown & side[graph.viewer]].mean()) for side in (first, ~first)]
    assert shares[0] > shares[1] + 0.1


@pytest.mark.parametrize("policies", [("best_response", "naive"), ("naive", "random")])
def test_the_bound_holds_over_the_lists_of_all_arms(policies: tuple[str, str]) -> None:
    graph, allowance = crowded(300, seed=4, share=0.5).graph(), np.full(300, 2.0)
    first = np.random.default_rng(2).random(300) < 0.5
    mixed = make_mixed_lists(split(graph, first, *policies), allowance).positions
    free = make_mixed_lists(split(graph, first, *policies)).positions
    depths, caps = compute_caps(graph, ATTENTION.length, allowance)

    def count_violations(placed: np.ndarray) -> int:
        listed = [graph.candidate[(placed >= 0) & (placed < depth)] for depth in depths]
        return int((np.column_stack([np.bincount(each, minlength=300) for each in listed]) > caps).sum())

    assert count_violations(free) > 0
    assert count_violations(mixed) == 0
    lists = [np.bincount(graph.viewer[side[graph.viewer] & (mixed == 0)]).sum() for side in (first, ~first)]
    assert min(lists) > 0.9 * min(first.sum(), (~first).sum()), "no arm takes the first positions of the other"


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.1, 0.5, 0.9])), max_size=30))
def test_aligned_scores_keep_the_order_within_each_arm(edges: list[tuple[int, float]]) -> None:
    arm = np.array([number for number, _ in edges], np.int32)
    scores = np.array([score * 10**number for number, score in edges], np.float32)
    aligned = align_scores(scores, arm)
    for number in range(3):
        own = arm == number
        assert np.array_equal(scores[own][:, None] < scores[own], aligned[own][:, None] < aligned[own]), (
            "equal scores stay equal"
        )
    if len(set(arm.tolist())) > 1:
        assert ((aligned > 0) & (aligned <= 1)).all()
