from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.conversations.head.past_rates import MAX_STRENGTH, RatePrior, collect_outcomes, fit_prior

CONVERSATIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.sampled_from([0.0, 1.0, float("nan")])), max_size=30
)


@given(CONVERSATIONS, st.integers(0, 3), st.integers(-1, 10), st.sampled_from([None, 1, 3]))
def test_counts_are_what_was_known(
    rows: Sequence[tuple[int, int, float]], person: int, moment: int, most: int | None
) -> None:
    who, known_at, outcome = (np.array([row[column] for row in rows]) for column in range(3))
    past = collect_outcomes(who.astype(np.int64), known_at.astype(np.int64), outcome.astype(np.float64))
    trials, successes = past.count(np.array([person]), np.array([moment]), most)
    known = sorted(
        (at, number) for number, (one, at, each) in enumerate(rows) if one == person and at <= moment and each == each
    )
    counted = [rows[number][2] for _, number in known][-most if most else None :]
    assert (trials[0], successes[0]) == (len(counted), sum(counted))


def test_a_rate_is_shrunk_to_the_mean() -> None:
    prior = RatePrior(mean=0.5, strength=2.0)
    shrunk = prior.shrink(np.array([0, 2, 2, 200]), np.array([0.0, 2.0, 0.0, 200.0]))
    assert shrunk[:3] == pytest.approx([0, np.log(3), -np.log(3)])
    assert shrunk[3] == pytest.approx(np.log(201))


def test_the_prior_finds_a_planted_spread() -> None:
    rng = np.random.default_rng(0)
    trials = rng.integers(1, 30, 4000)
    prior = fit_prior(trials, rng.binomial(trials, rng.beta(6, 4, 4000)).astype(np.float64))
    assert prior.mean == pytest.approx(0.6, abs=0.02)
    assert prior.strength == pytest.approx(10, rel=0.15)


def test_without_a_spread_rates_are_hardly_learned() -> None:
    rng = np.random.default_rng(0)
    trials = rng.integers(1, 30, 4000)
    assert fit_prior(trials, rng.binomial(trials, 0.6).astype(np.float64)).strength > MAX_STRENGTH / 4


@pytest.mark.parametrize("trials", [[], [0, 0], [1], [1, 1]])
def test_the_prior_of_too_little_is_that_of_chance(trials: list[int]) -> None:
    prior = fit_prior(np.array(trials, np.int64), np.zeros(len(trials)))
    assert prior.strength == MAX_STRENGTH
    assert 0 < prior.mean <= 0.5
