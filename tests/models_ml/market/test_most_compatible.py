import numpy as np
from hypothesis import given
from numpy.typing import NDArray

from models.ml.market import match_most_compatible
from tests.models_ml.market.scored import SEEDS, Pairs, of_chances, pairs


def test_where_all_are_alike_keys_decide_and_all_find_a_partner() -> None:
    partners = match_most_compatible(of_chances(np.full((40, 40), 0.5), ~np.eye(40, dtype=bool)).graph())
    assert (partners[partners] == np.arange(40)).all()
    assert (np.abs(partners - np.arange(40)) > 5).sum() > 15  # not the next by number


@given(pairs(most=8), SEEDS)
def test_no_two_users_would_rather_have_each_other(scored: Pairs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    previous = rng.integers(-1, scored.people, scored.people)
    partners = match_most_compatible(scored.graph(), previous)
    value = compute_p_match(scored, previous)
    own = np.array([value[who, other] if other >= 0 else 0.0 for who, other in enumerate(partners)])
    matched = np.flatnonzero(partners >= 0)
    assert (partners[partners[matched]] == matched).all()
    assert (own[matched] > 0).all()
    assert not ((value > own[:, None]) & (value > own[None, :])).any()
    turned = scored.take(rng.permutation(len(scored.viewer)))
    np.testing.assert_array_equal(match_most_compatible(turned.graph(), previous), partners)


def compute_p_match(scored: Pairs, previous: NDArray[np.int64]) -> NDArray[np.float32]:
    """(people, people), 0 where two cannot be partners."""
    found = np.zeros((scored.people, scored.people), np.float32)
    found[scored.viewer, scored.candidate] = scored.p_like * scored.p_liked_back
    found[found.T == 0] = 0
    again = previous[:, None] == np.arange(scored.people)
    return np.where(again | again.T, np.float32(0), found)
