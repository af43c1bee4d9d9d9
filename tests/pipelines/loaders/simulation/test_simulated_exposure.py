from collections import Counter
from dataclasses import replace
from itertools import permutations
from math import asin, cos, prod, radians, sin, sqrt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from pipelines.loaders.simulation.choice_model import compute_p_like
from pipelines.loaders.simulation.simulated_exposure import (
    DAY,
    DAYS,
    LIST_LENGTH,
    VIEWERS_PER_BATCH,
    SimulatedPools,
    compute_examination,
    draw_plackett_luce,
    simulate_decisions,
)
from pipelines.loaders.simulation.simulated_population import (
    GENDERS,
    REFERENCE_TIME,
    SimulatedPopulation,
    build_population,
)
from tests.pipelines.loaders.simulation.conftest import Decided

WEIGHTS = np.array([1.0, 2.0, 5.0])
BY_HAND: dict[tuple[int, ...], tuple[float, ...]] = {  # order → probability of each at its position
    (0, 1, 2): (1 / 8, 2 / 7, 1),
    (0, 2, 1): (1 / 8, 5 / 7, 1),
    (1, 0, 2): (2 / 8, 1 / 6, 1),
    (1, 2, 0): (2 / 8, 5 / 6, 1),
    (2, 0, 1): (5 / 8, 1 / 3, 1),
    (2, 1, 0): (5 / 8, 2 / 3, 1),
}


def test_plackett_luce_of_three_by_hand() -> None:
    rng = np.random.default_rng(1)
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(6_000):
        items, chance = draw_plackett_luce(WEIGHTS, 3, rng)
        order = tuple(items.tolist())
        np.testing.assert_allclose(chance, BY_HAND[order])
        seen[order] += 1
    expected = [6_000 * prod(BY_HAND[order]) for order in permutations(range(3))]
    assert chisquare([seen[order] for order in permutations(range(3))], expected).pvalue > 1e-6
    items, chance = draw_plackett_luce(WEIGHTS, 2, rng)
    np.testing.assert_allclose(chance, BY_HAND[(*items.tolist(), 3 - items.sum())][:2])


@settings(deadline=None)
@given(
    log_weights=st.lists(st.floats(-300, 300), max_size=30),
    length=st.integers(0, 40),
    seed=st.integers(0, 2**32),
)
def test_plackett_luce_ranks_each_once_with_a_chance(log_weights: list[float], length: int, seed: int) -> None:
    items, chance = draw_plackett_luce(np.exp(log_weights), length, np.random.default_rng(seed))
    assert len(items) == len(set(items.tolist())) == min(length, len(log_weights))
    assert ((chance > 0) & (chance <= 1)).all()


def kilometres(place: list[float], other: list[float]) -> float:
    latitude, longitude, other_latitude, other_longitude = map(radians, (*place, *other))
    across = cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(sin((other_latitude - latitude) / 2) ** 2 + across))


def is_sought(population: SimulatedPopulation, viewer: int, candidate: int) -> bool:
    distance = kilometres(population.place[viewer].tolist(), population.place[candidate].tolist())
    return bool(
        population.seeks[viewer, population.gender[candidate]]
        and population.age_min[viewer] <= population.age[candidate] <= population.age_max[viewer]
        and distance <= population.max_distance_km[viewer]
    )


def test_the_eligible_are_those_both_sides_allow() -> None:
    population = build_population(8, 100)
    pools, users = SimulatedPools(population), range(100)
    sought = [[viewer != user and is_sought(population, viewer, user) for user in users] for viewer in users]
    for viewer in users:
        allowed = [user for user in users if sought[viewer][user] and sought[user][viewer]]
        assert sorted(pools.find_eligible(viewer).tolist()) == allowed


def test_the_shown_are_eligible_and_each_is_shown_once(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, _ = decided
    assert len(set(zip(impressions.viewer.tolist(), impressions.candidate.tolist(), strict=True))) == len(decided[1])
    pools = SimulatedPools(population)
    for viewer in np.unique(impressions.viewer):
        assert set(impressions.candidate[impressions.viewer == viewer]) <= set(pools.find_eligible(viewer))
    assert population.appeal[impressions.candidate].mean() > population.appeal.mean() + 0.2
    end = REFERENCE_TIME.timestamp()
    assert ((impressions.seen_at >= end - DAYS * DAY) & (impressions.seen_at < end)).all()


def test_positions_are_seen_as_often_as_examined(decided: Decided) -> None:
    np.testing.assert_allclose(compute_examination(np.array([1, 2, 3])), [1, 0.6309297535714575, 0.5])
    position = decided[0].position
    # The first position of a list is always examined; the lists cut short by small pools are few.
    shares = np.bincount(position)[1:] / (position == 1).sum()
    np.testing.assert_allclose(shares, compute_examination(np.arange(1, LIST_LENGTH + 1)), rtol=0.1)


def test_propensities_recover_how_many_are_eligible(population: SimulatedPopulation, decided: Decided) -> None:
    """All who are eligible can be first, so 1 / propensity of the first has their number as its mean."""
    impressions, _ = decided
    assert (impressions.propensity > 0).all()
    assert (impressions.propensity <= compute_examination(impressions.position)).all()
    viewers, first = np.unique(impressions.viewer, return_index=True)
    pools = SimulatedPools(population)
    eligible = np.array([len(pools.find_eligible(viewer)) for viewer in viewers])
    ratio = 1 / impressions.propensity[first] / eligible
    assert set(impressions.position[first]) == {1}
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))


def test_decisions_and_like_rates_are_realistic(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, liked = decided
    counts = np.bincount(impressions.viewer, minlength=population.people)
    assert 24 <= counts.mean() <= 36
    assert 0.15 <= (counts == 0).mean() <= 0.3
    assert counts.max() > 150
    woman, man, _ = (liked[population.gender[impressions.viewer] == code].mean() for code in range(len(GENDERS)))
    assert woman < 0.25 < liked.mean() < 0.35
    assert man > 0.33


def test_likes_come_as_often_as_p_like_says(population: SimulatedPopulation, decided: Decided) -> None:
    impressions, liked = decided
    p_like = compute_p_like(population, impressions.viewer, impressions.candidate)
    decile = np.searchsorted(np.quantile(p_like, np.arange(0.1, 1, 0.1)), p_like)
    surplus = np.bincount(decile, liked - p_like) ** 2 / np.bincount(decile, p_like * (1 - p_like))
    assert surplus.sum() < 45  # the 0.999998 quantile of chi-square with 10 degrees of freedom


def test_each_who_opens_the_app_and_has_a_candidate_decides() -> None:
    population = build_population(1, VIEWERS_PER_BATCH + 3)
    pools = SimulatedPools(population)
    batches = simulate_decisions(replace(population, activity=np.ones(population.people)))
    deciding = np.concatenate([np.unique(impressions.viewer) for impressions, _ in batches]).tolist()
    assert deciding == [viewer for viewer in range(population.people) if len(pools.find_eligible(viewer))]
    assert deciding[-1] > VIEWERS_PER_BATCH
