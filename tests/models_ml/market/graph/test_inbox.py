"""Inboxes and lists by hand: who stands where, what a like is worth, what it takes from others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.attention_model import INBOX_DEPTH, AttentionModel
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions, select_listed_pairs
from tests.models_ml.conftest import positions
from tests.models_ml.market.scored import Pairs, pairs

ANSWERS = AttentionModel("inv", inbox_weight=1).compute_inbox_examination()


def three_courting_one() -> MarketGraph:
    """0, 1 and 2 may be shown 3, who prefers 1 to 2 to 0, and may be shown 1."""
    p_like, back = np.array([0.5, 0.8, 1.0, 0.4], np.float32), np.array([0.2, 0.4, 0.3, 0.8], np.float32)
    return build_market_graph(positions(0, 1, 2, 3), positions(3, 3, 3, 1), p_like, back)


def by_viewer(laid_out: MarketGraph, values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> dict[int, float]:
    return dict(zip(laid_out.viewer.tolist(), values.tolist(), strict=True))


def test_an_inbox_is_in_the_order_of_its_owner_s_preference() -> None:
    laid_out = three_courting_one()
    assert laid_out.viewer.tolist() == [3, 1, 2, 0]
    assert laid_out.candidate.tolist() == [1, 3, 3, 3]
    assert laid_out.inbox_start.tolist() == [0, 0, 1, 1, 4]
    assert laid_out.reverse_edge.tolist() == [1, 0, -1, -1]
    assert laid_out.pair.tolist() == [3, 1, 2, 0]


def test_matches_by_hand() -> None:
    """1 likes first; 2 stands second if 1 likes (0.8), and 0 second or third."""
    laid_out = three_courting_one()
    found = by_viewer(laid_out, compute_match_probabilities(laid_out, laid_out.p_like, ANSWERS))
    assert found[1] == pytest.approx(0.8 * 0.4)
    assert found[2] == pytest.approx(1.0 * 0.3 * (0.2 + 0.8 / 2))
    assert found[0] == pytest.approx(0.5 * 0.2 * (0.2 / 2 + 0.8 / 3))
    assert count_distinct_matches(
        laid_out, compute_match_probabilities(laid_out, laid_out.p_like, ANSWERS)
    ) == pytest.approx(0.32 + 0.18 + 0.1 * (0.1 + 0.8 / 3) + 0.32 - 0.32 * 0.32)


def test_worth_by_hand() -> None:
    """A look of 1 at 3 brings 0.8 x 0.4, once in a match; it costs 2 the half of 0.3, and 0 a sixth of 0.1."""
    laid_out = three_courting_one()
    matched = compute_match_probabilities(laid_out, laid_out.p_like, ANSWERS)
    found = compute_marginal_values(laid_out, laid_out.p_like, matched, ANSWERS, np.array([False, True, False, False]))
    single = 1 - 0.4 * 0.8
    assert by_viewer(laid_out, found)[1] == pytest.approx(0.8 * (0.4 * single - 0.3 / 2 - 0.1 * (1 / 2 - 1 / 3)))
    assert np.count_nonzero(found) == 1


@given(pairs(), st.integers(0, 2**32 - 1))
def test_worth_does_not_depend_on_who_else_is_asked(scored: Pairs, seed: int) -> None:
    """Of lists in which not everybody stands: then what is not asked for need not be looked at."""
    laid_out, people = scored.town(), np.arange(scored.people)
    liked = laid_out.p_like * np.random.default_rng(seed).choice(np.array([0, 0.3, 1], np.float32), len(laid_out.pair))
    matched = compute_match_probabilities(laid_out, liked, ANSWERS)
    alone = [compute_marginal_values(laid_out, liked, matched, ANSWERS, people == viewer) for viewer in people]
    of_all = compute_marginal_values(laid_out, liked, matched, ANSWERS, np.ones(len(people), bool))
    np.testing.assert_array_equal(np.sum(alone, axis=0, dtype=np.float32), of_all)


@given(pairs(), st.integers(0, 2**32 - 1))
def test_worth_is_what_a_sure_look_brings_over_none(scored: Pairs, seed: int) -> None:
    """Of lists in which not everybody stands, some for sure: a look that nobody takes yet is worth as much."""
    laid_out = scored.town()
    liked = laid_out.p_like * np.random.default_rng(seed).choice(np.array([0, 0.3, 1], np.float32), len(laid_out.pair))

    def matched(slot: int, look: float) -> float:
        changed = liked.copy()
        changed[slot] = look * laid_out.p_like[slot]
        return count_distinct_matches(laid_out, compute_match_probabilities(laid_out, changed, ANSWERS))

    everybody = np.ones(scored.people, bool)
    found = compute_marginal_values(
        laid_out, liked, compute_match_probabilities(laid_out, liked, ANSWERS), ANSWERS, everybody
    )
    brought = [matched(slot, 1) - matched(slot, 0) for slot in range(len(liked))]
    np.testing.assert_allclose(found, brought, atol=1e-5)


def test_an_inbox_deeper_than_is_told_apart_counts_as_read_as_it_is_there() -> None:
    """Of 400 sure likes the last stand as the one at DEPTH + 1 does."""
    people = np.arange(400)
    laid_out = build_market_graph(people, np.full(400, 400), np.ones(400), np.linspace(1, 0.5, 400))
    found = compute_match_probabilities(laid_out, np.ones(400, np.float32), ANSWERS)
    np.testing.assert_allclose(found / laid_out.p_liked_back, 1 / np.minimum(people + 1, INBOX_DEPTH + 1), rtol=1e-5)


@pytest.mark.parametrize("depth", [4, 64, 300])
def test_how_deep_an_inbox_is_told_apart_is_what_the_answers_say(depth: int) -> None:
    people = np.arange(400)
    laid_out = build_market_graph(people, np.full(400, 400), np.ones(400), np.linspace(1, 0.5, 400))
    found = compute_match_probabilities(laid_out, np.ones(400, np.float32), 1 / np.arange(1.0, depth + 2))
    np.testing.assert_allclose(found / laid_out.p_liked_back, 1 / np.minimum(people + 1, depth + 1), rtol=1e-5)


def test_lists_have_their_length_and_are_looked_at_by_place() -> None:
    laid_out = build_market_graph(positions(0, 0, 0, 1), positions(1, 2, 3, 0), np.full(4, 0.5), np.ones(4))
    scores = np.array([0.2, 0.9, 0.4, 0.7], np.float32)[laid_out.pair]
    placed = compute_positions(laid_out, scores, 2)
    assert select_listed_pairs(laid_out, placed).tolist() == [1, 2, 3]
    at = dict(zip(laid_out.pair.tolist(), placed.tolist(), strict=True))
    assert at == {0: -1, 1: 0, 2: 1, 3: 0}
    liked = dict(
        zip(
            laid_out.pair.tolist(),
            compute_like_probabilities(laid_out, placed, np.array([1.0, 0.3])).tolist(),
            strict=True,
        )
    )
    assert liked == pytest.approx({0: 0.0, 1: 0.5, 2: 0.15, 3: 0.5})
    assert compute_like_probabilities(laid_out, placed, np.array([3.0, 0.3])).max() == 1


def test_the_same_on_threads() -> None:
    """Above 200,000 pairs the people are shared out: the same as one by one."""
    rng = np.random.default_rng(1)
    viewer, candidate = np.divmod(rng.choice(1000 * 1000, 250_000, replace=False), 1000)
    p_like, back = rng.random((2, 250_000))
    few = candidate < 10
    of_all = build_market_graph(viewer, candidate + 1000, p_like, back)
    of_few = build_market_graph(viewer[few], candidate[few] + 1000, p_like[few], back[few])
    alone = compute_match_probabilities(of_few, of_few.p_like, ANSWERS)
    np.testing.assert_array_equal(compute_match_probabilities(of_all, of_all.p_like, ANSWERS)[: len(alone)], alone)


def test_ties_in_an_inbox_are_settled_by_keys_not_by_number() -> None:
    people = np.arange(50)
    keys = hash_splitmix64(np.arange(1, 52, dtype=np.uint64))
    first = build_market_graph(people, np.full(50, 50), np.ones(50), np.ones(50), keys)
    turned = build_market_graph(people, np.full(50, 50), np.ones(50), np.ones(50), np.append(keys[:50][::-1], keys[50]))
    assert first.viewer.tolist() != sorted(first.viewer.tolist())
    assert turned.viewer.tolist() == (49 - first.viewer).tolist()
