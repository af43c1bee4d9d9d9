"""One partner each: by hand, stable whatever the town, and somebody else the next day."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.market import match_most_compatible
from tests.models_ml.market.scored import Pairs, crowded, of_chances, pairs


def town_of(p_match: dict[tuple[int, int], float], people: int) -> Pairs:
    """Two people who like each other with the same probability, both ways."""
    chances = np.zeros((people, people))
    for (one, other), chance in p_match.items():
        chances[one, other] = chances[other, one] = chance**0.5
    return of_chances(chances, chances > 0)


def test_the_best_pair_first() -> None:
    """0 and 1 would each rather have 2, who would rather have 0."""
    town = town_of({(0, 1): 0.2, (0, 2): 0.9, (1, 2): 0.8, (1, 3): 0.1}, 5).town()
    assert match_most_compatible(town).tolist() == [2, 3, 0, 1, -1]


def test_somebody_else_the_next_day() -> None:
    town = town_of({(0, 1): 0.2, (0, 2): 0.9, (1, 2): 0.8, (1, 3): 0.1}, 5).town()
    assert match_most_compatible(town, np.array([2, 3, 0, 1, -1])).tolist() == [-1, 2, 1, -1, -1]
    # Of one side only: who was 0's partner last is not again, whoever 2's was.
    assert match_most_compatible(town, np.array([2, -1, 1, -1, -1])).tolist() == [1, 0, -1, -1, -1]


def test_who_may_be_shown_one_way_only_is_nobody_s_partner() -> None:
    scored = town_of({(0, 1): 0.9, (0, 2): 0.1}, 3)
    kept = scored.taken(np.flatnonzero((scored.viewer != 1) | (scored.candidate != 0)))
    assert match_most_compatible(kept.town()).tolist() == [2, -1, 0]


def test_where_all_are_alike_lot_decides_and_all_find_somebody() -> None:
    everybody = of_chances(np.full((40, 40), 0.5), ~np.eye(40, dtype=bool)).town()
    partners = match_most_compatible(everybody)
    assert (partners[partners] == np.arange(40)).all()
    assert (np.abs(partners - np.arange(40)) > 5).sum() > 15  # not neighbours by number


@given(pairs(most=8), st.integers(0, 2**32 - 1))
def test_no_two_people_would_rather_have_each_other(scored: Pairs, seed: int) -> None:
    previous = np.random.default_rng(seed).integers(-1, scored.people, scored.people)
    partners = match_most_compatible(scored.town(), previous)
    value = _p_match(scored, previous)
    own = np.array([value[who, with_] if with_ >= 0 else 0.0 for who, with_ in enumerate(partners)])
    matched = np.flatnonzero(partners >= 0)
    assert (partners[partners[matched]] == matched).all()
    assert (own[matched] > 0).all()
    assert not ((value > own[:, None]) & (value > own[None, :])).any()


def _p_match(scored: Pairs, previous: NDArray[np.int64]) -> NDArray[np.float32]:
    """(people, people), 0 where two cannot be partners."""
    found = np.zeros((scored.people, scored.people), np.float32)
    found[scored.viewer, scored.candidate] = scored.p_like * scored.p_liked_back
    found[found.T == 0] = 0
    again = previous[:, None] == np.arange(scored.people)
    return np.where(again | again.T, np.float32(0), found)


def test_the_order_of_the_pairs_does_not_matter() -> None:
    scored = crowded(50, seed=1)
    turned = scored.taken(np.random.default_rng(0).permutation(len(scored.viewer)))
    np.testing.assert_array_equal(match_most_compatible(turned.town()), match_most_compatible(scored.town()))
