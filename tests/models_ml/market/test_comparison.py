"""What a policy's lists would bring, beside the same told plainly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.comparison import compute_outcome
from models.ml.market.graph.inbox import compute_match_probabilities
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.policies.best_response import count_expected_matches
from models.ml.market.policies.policy_registry import score_product
from tests.models_ml.market.scored import Pairs, pairs

ATTENTION = AttentionModel("inv", length=2, inbox_weight=1)


@given(pairs())
def test_what_lists_bring_is_told_as_plainly(scored: Pairs) -> None:
    """Who gets nothing from any of their matches, of either list, is told person by person."""
    town = scored.town()
    placed = compute_positions(town, score_product(town, ATTENTION), ATTENTION.length)
    found = compute_outcome(town, ATTENTION, placed)
    matched = compute_match_probabilities(
        town,
        compute_like_probabilities(town, placed, ATTENTION.compute_list_examination()),
        ATTENTION.compute_inbox_examination(),
    )
    missed = dict.fromkeys({*town.viewer.tolist(), *town.candidate.tolist()}, 1.0)
    for one, other, chance in zip(town.viewer.tolist(), town.candidate.tolist(), matched.tolist(), strict=True):
        missed[one] *= 1 - chance
        missed[other] *= 1 - chance
    told = np.mean([1 - each for each in missed.values()]) if missed else 0.0
    assert found["people_matched"] == pytest.approx(told, abs=1e-6)
    assert found["expected_matches"] == count_expected_matches(town, ATTENTION, placed)
    assert found["expected_matches_flat"] == count_expected_matches(town, replace(ATTENTION, inbox_weight=0.0), placed)
