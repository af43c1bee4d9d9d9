"""Who is shown to whom in a simulated population, and who is liked: known answers, and the figures of all decisions."""

from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import chisquare, kstest, norm

from models.ml.arrays import Float64Array
from models.ml.validation.score_metrics import compute_within_viewer_auc
from pipelines.loaders.simulation import choice_model, simulated_exposure, simulated_population
from pipelines.loaders.simulation.choice_model import CHEMISTRY, FACT_AGREEMENT, compute_attraction, draw_chemistry
from pipelines.loaders.simulation.simulated_exposure import SimulatedPools, compute_examination, draw_plackett_luce
from pipelines.loaders.simulation.simulated_population import FACTS, SimulatedPopulation, build_population
from tests.pipelines.loaders.simulation.conftest import Decided

VIEWER, CANDIDATE = np.array([0]), np.array([1])
TWO = build_population(1, 2)
DIFFERENT = np.array([[0] * len(FACTS), [1] * len(FACTS)])
# Two average users of the ideal age at one place, without a topic or a fact in common.
AVERAGE: dict[str, Any] = {
    **{name: np.zeros_like(getattr(TWO, name)) for name in ("place", "traits", "appeal", "selectivity")},
    **{name: np.full_like(getattr(TWO, name), 30) for name in ("age", "ideal_age")},
    "topics": np.eye(*TWO.topics.shape),
    "wants": np.full_like(TWO.wants, 0.5),
    "facts": DIFFERENT,
}


def build_two(**changes: object) -> SimulatedPopulation:
    return replace(TWO, **(AVERAGE | changes))


def pad(like: str, *rows: list[float]) -> Float64Array:
    padded: Float64Array = AVERAGE[like].copy()
    padded[:, : len(rows[0])] = rows
    return padded


OVERLAP = {
    "topics": pad("topics", [0.75, 0.25, 0], [0, 0.64, 0.36]),
    "wants": pad("wants", [0.5] * 8 + [0.9], [0.5] * 8 + [0.1]),
}


@pytest.mark.parametrize(
    ("changes", "log_odds"),
    [
        ({}, 0),
        ({"appeal": np.array([9.0, 0.7]), "selectivity": np.array([2.0, 9.0])}, 0.7 - 2.0),
        (OVERLAP, 2.6 * 1.4 * 0.5 * 0.8),
        ({"traits": pad("traits", [5, 5], [2, -1]), "wants": pad("wants", [1, 0.25], [0.9, 0.9])}, 0.35 * (2 - 0.25)),
        ({"age": np.array([99, 42]), "ideal_age": np.array([30.0, 99.0])}, -0.5 * 2**2),
        ({"place": np.array([[46.0, 8.0], [47.0, 8.0]])}, -0.3 * np.log(1 + 111.195 / 5)),
        *(({"facts": DIFFERENT * (np.array([*FACTS]) != fact)}, FACT_AGREEMENT.get(fact, 0)) for fact in FACTS),
    ],
)
def test_attraction_by_hand(changes: dict[str, Any], log_odds: float) -> None:
    assert compute_attraction(build_two(**changes), VIEWER, CANDIDATE)[0] == pytest.approx(log_odds, rel=1e-5)


def test_chemistry_is_normal_and_half_mutual() -> None:
    viewers, candidates = np.divmod(np.arange(90_000), 300)
    there, back = draw_chemistry(TWO, viewers, candidates), draw_chemistry(TWO, candidates, viewers)
    pairs = viewers < candidates
    assert kstest(there[pairs] / CHEMISTRY, norm.cdf).statistic < 0.02
    assert np.corrcoef(there[pairs], back[pairs])[0, 1] == pytest.approx(0.5, abs=0.03)


def test_chemistry_belongs_to_the_pair_and_the_seed() -> None:
    viewers, candidates = np.arange(20_000), np.arange(20_000) + 1_000_000
    together = draw_chemistry(TWO, viewers, candidates)
    np.testing.assert_array_equal(draw_chemistry(TWO, viewers[7:9], candidates[7:9]), together[7:9])
    for seed, viewer, candidate in ((2, 0, 0), (1, 1, 0), (1, 0, 1)):
        other = draw_chemistry(build_population(seed, 0), viewers + viewer, candidates + candidate)
        assert abs(np.corrcoef(together, other)[0, 1]) < 0.04


def test_p_like_is_the_sigmoid_and_expected_its_integral() -> None:
    two = build_two(selectivity=np.array([1.5, 0]))
    log_odds = compute_attraction(two, VIEWER, CANDIDATE) + draw_chemistry(two, VIEWER, CANDIDATE)
    np.testing.assert_allclose(choice_model.compute_p_like(two, VIEWER, CANDIDATE), 1 / (1 + np.exp(-log_odds)))
    integral, _ = quad(lambda chemistry: expit(chemistry - 1.5) * norm.pdf(chemistry, scale=CHEMISTRY), -12, 12)
    assert choice_model.compute_expected_p_like(two, VIEWER, CANDIDATE)[0] == pytest.approx(integral, abs=1e-8)


@given(log_weights=st.lists(st.floats(-300, 300), max_size=30), length=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_plackett_luce_ranks_each_once_with_a_chance(log_weights: list[float], length: int, seed: int) -> None:
    items, chance = draw_plackett_luce(np.exp(log_weights), length, np.random.default_rng(seed))
    assert len(items) == len(set(items.tolist())) == min(length, len(log_weights))
    assert ((chance > 0) & (chance <= 1)).all()


def test_plackett_luce_of_three_by_hand() -> None:
    weights, rng = (1, 2, 5), np.random.default_rng(1)
    by_hand = {(a, b): (weights[a] / 8, weights[b] / (8 - weights[a])) for a, b in permutations(range(3), 2)}
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(6_000):
        items, chance = draw_plackett_luce(np.array(weights, float), 2, rng)
        np.testing.assert_allclose(chance, by_hand[order := tuple(items.tolist())])
        seen[order] += 1
    expected = [6_000 * first * second for first, second in by_hand.values()]
    assert chisquare([seen[order] for order in by_hand], expected).pvalue > 1e-6


def test_the_eligible_are_those_both_sides_allow() -> None:
    population = build_population(8, 150)
    pools, everyone = SimulatedPools(population), np.arange(150)
    for viewer in everyone.tolist():
        broken = pools.rules.find_broken(np.full(150, viewer), everyone)
        assert sorted(pools.find_eligible(viewer)) == np.flatnonzero((broken == 0) & (everyone != viewer)).tolist()


def test_the_shown_are_eligible_and_each_is_shown_once(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, _ = decided
    viewer, candidate = impressions.viewer, impressions.candidate
    assert len(set(zip(viewer.tolist(), candidate.tolist(), strict=True))) == len(viewer)
    assert not SimulatedPools(population).rules.find_broken(viewer, candidate).any()
    assert population.appeal[candidate].mean() > population.appeal.mean() + 0.2
    days = (simulated_population.REFERENCE_TIME.timestamp() - impressions.seen_at) / simulated_exposure.DAY
    assert ((days > 0) & (days <= simulated_exposure.DAYS)).all()


def test_positions_are_seen_as_often_as_examined(decided: Decided) -> None:
    np.testing.assert_allclose(compute_examination(np.array([1, 2, 3])), [1, 0.6309297535714575, 0.5])
    position = decided[0].position
    # The first position of a list is always examined; the lists cut short by small pools are few.
    shares = np.bincount(position)[1:] / (position == 1).sum()
    np.testing.assert_allclose(shares, compute_examination(np.arange(1, 13)), rtol=0.1)


def test_propensities_recover_how_many_are_eligible(population: SimulatedPopulation, decided: Decided) -> None:
    """All who are eligible can be first, so 1 / propensity of the first has their number as its mean."""
    impressions, _ = decided
    assert (impressions.propensity > 0).all()
    assert (impressions.propensity <= compute_examination(impressions.position)).all()
    viewers, first = np.unique(impressions.viewer, return_index=True)
    pools = SimulatedPools(population)
    ratio = 1 / impressions.propensity[first] / [len(pools.find_eligible(viewer)) for viewer in viewers.tolist()]
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))


def test_likes_follow_p_like_and_chemistry_is_worth_knowing(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, liked = decided
    pairs = population, impressions.viewer, impressions.candidate
    p_like = choice_model.compute_p_like(*pairs)
    decile = np.searchsorted(np.quantile(p_like, np.arange(0.1, 1, 0.1)), p_like)
    surplus = np.bincount(decile, liked - p_like) ** 2 / np.bincount(decile, p_like * (1 - p_like))
    assert surplus.sum() < 45  # the 0.999998 quantile of chi-square with 10 degrees of freedom
    scores = choice_model.compute_expected_p_like(*pairs), p_like
    by_profiles, by_truth = (compute_within_viewer_auc(impressions.viewer, liked, score) for score in scores)
    assert 0.7 < by_profiles < 0.78 < by_truth < 0.85
    assert 0.25 < liked.mean() < 0.35


def test_each_who_opens_the_app_and_has_a_candidate_decides() -> None:
    population = build_population(1, simulated_exposure.VIEWERS_PER_BATCH + 3)
    pools = SimulatedPools(population)
    batches = simulated_exposure.simulate_decisions(replace(population, activity=np.ones(population.people)))
    deciding = np.concatenate([np.unique(impressions.viewer) for impressions, _ in batches]).tolist()
    assert deciding == [viewer for viewer in range(population.people) if len(pools.find_eligible(viewer))]
    assert deciding[-1] > simulated_exposure.VIEWERS_PER_BATCH
