"""How a town is laid out, beside plain numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.graph.market_graph import MarketGraph
from tests.models_ml.market.scored import Pairs, crowded, pairs


def is_laid_out(town: MarketGraph, scored: Pairs) -> None:
    """Each slot is its row, inboxes and lists are where their bounds say, and mates are the other way round."""
    people, slots = np.arange(scored.people), np.arange(len(town.pair))
    for name in ("viewer", "candidate", "p_like", "p_liked_back"):
        np.testing.assert_array_equal(getattr(town, name), getattr(scored, name)[town.pair])
    np.testing.assert_array_equal(np.sort(town.pair), slots)
    np.testing.assert_array_equal(town.candidate, np.repeat(people, np.diff(town.inbox_start)))
    np.testing.assert_array_equal(town.viewer[town.csr_index], np.repeat(people, np.diff(town.list_start)))
    np.testing.assert_array_equal(np.lexsort((-town.p_liked_back, town.candidate)), slots)
    np.testing.assert_array_equal(np.lexsort((town.candidate[town.csr_index], town.viewer[town.csr_index])), slots)
    at = {pair: slot for slot, pair in enumerate(zip(town.viewer.tolist(), town.candidate.tolist(), strict=True))}
    assert town.reverse_edge.tolist() == [at.get((other, one), -1) for one, other in at]


@given(pairs(), st.integers(0, 2**32 - 1))
def test_laid_out_from_any_order(scored: Pairs, seed: int) -> None:
    """Some of the pairs, so that some have no mate."""
    rng = np.random.default_rng(seed)
    count = len(scored.viewer)
    some = scored.taken(rng.permutation(count)[: rng.integers(count + 1)])
    is_laid_out(some.town(), some)


def test_laid_out_on_threads() -> None:
    """Above 200,000 pairs the people are shared out."""
    scored = crowded(800, seed=3, share=0.6)
    some = scored.taken(np.random.default_rng(3).permutation(len(scored.viewer))[:250_000])
    is_laid_out(some.town(), some)
