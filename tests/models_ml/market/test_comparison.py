"""What a policy's lists would bring, beside the same told plainly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from models.ml.market.attention import Attention
from models.ml.market.best_response import expected
from models.ml.market.comparison import outcome
from models.ml.market.inbox import matches
from models.ml.market.lists import likes, places
from models.ml.market.policies import product
from tests.models_ml.market.scored import Pairs, pairs

ATTENTION = Attention("inv", length=2, q=1)


@given(pairs())
def test_what_lists_bring_is_told_as_plainly(scored: Pairs) -> None:
    """Who gets nothing from any of their matches, of either list, is told person by person."""
    town = scored.town()
    placed = places(town, product(town, ATTENTION), ATTENTION.length)
    found = outcome(town, ATTENTION, placed)
    matched = matches(town, likes(town, placed, ATTENTION.looks()), ATTENTION.answers())
    missed = dict.fromkeys({*town.viewer.tolist(), *town.candidate.tolist()}, 1.0)
    for one, other, chance in zip(town.viewer.tolist(), town.candidate.tolist(), matched.tolist(), strict=True):
        missed[one] *= 1 - chance
        missed[other] *= 1 - chance
    told = np.mean([1 - each for each in missed.values()]) if missed else 0.0
    assert found["people_matched"] == pytest.approx(told, abs=1e-6)
    assert found["expected_matches"] == expected(town, ATTENTION, placed)
    assert found["expected_matches_flat"] == expected(town, replace(ATTENTION, q=0.0), placed)
