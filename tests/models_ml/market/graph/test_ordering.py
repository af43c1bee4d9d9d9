import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.graph.ordering import draw_tie_break_key, sort_top_k
from tests.models_ml.market.scored import SEEDS, keys

ROWS = st.lists(
    st.floats(width=32, allow_nan=False) | st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0]), min_size=1, max_size=60
)


@given(ROWS, st.integers(0, 70), SEEDS)
def test_best_first_and_equal_ones_by_key_as_lexsort(row: list[float], length: int, seed: int) -> None:
    rng, scores = np.random.default_rng(seed), np.array(row, np.float32)
    other, all_keys = rng.permutation(len(row)).astype(np.int32), keys(len(row))
    some = rng.permutation(len(row))[: rng.integers(len(row) + 1)].astype(np.int32)
    own = np.uint64(seed)
    drawn = np.array([draw_tie_break_key(own, all_keys[each]) for each in other[some]], np.uint64)
    expected = some[np.lexsort((drawn, -scores[some]))][:length]
    np.testing.assert_array_equal(sort_top_k(some, scores, length, own, other, all_keys), expected)


def test_a_long_row() -> None:
    scores = np.random.default_rng(1).permutation(10_000).astype(np.float32)
    edges = np.arange(10_000, dtype=np.int32)
    for length in (1, 300, 9_999, 10_000):
        found = sort_top_k(edges, scores, length, np.uint64(1), edges, keys(10_000))
        np.testing.assert_array_equal(found, np.argsort(-scores)[:length])
