from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.comparison import compute_outcome
from models.ml.market.graph.inbox import compute_match_probabilities
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.policies.policy_registry import score_product
from tests.models_ml.market.scored import Pairs, pairs

ATTENTION = AttentionModel("inv", length=2, inbox_weight=1)


@given(pairs())
def test_outcomes_are_those_of_counting_user_by_user(scored: Pairs) -> None:
    graph = scored.graph()
    placed = compute_positions(graph, score_product(graph, ATTENTION), ATTENTION.length)
    found = compute_outcome(graph, ATTENTION, placed)
    liked = compute_like_probabilities(graph, placed, ATTENTION.compute_list_examination())
    matched = compute_match_probabilities(graph, liked, ATTENTION.compute_inbox_examination())
    missed = dict.fromkeys({*graph.viewer.tolist(), *graph.candidate.tolist()}, 1.0)
    for one, other, chance in zip(graph.viewer.tolist(), graph.candidate.tolist(), matched.tolist(), strict=True):
        missed[one] *= 1 - chance
        missed[other] *= 1 - chance
    expected = np.mean([1 - each for each in missed.values()]) if missed else 0.0
    assert found["people_matched"] == pytest.approx(expected, abs=1e-6)
    assert found["expected_matches"] == count_expected_matches(graph, ATTENTION, placed)
    flat = replace(ATTENTION, inbox_weight=0.0)
    assert found["expected_matches_flat"] == count_expected_matches(graph, flat, placed)
