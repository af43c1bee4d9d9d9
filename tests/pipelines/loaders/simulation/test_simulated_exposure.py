"""Who is shown to whom in the simulated town: known answers, and the town's numbers as a whole."""

from collections import Counter
from dataclasses import replace
from itertools import permutations
from math import asin, cos, prod, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from models.ml.arrays import BoolArray
from pipelines.loaders.simulation.choice_model import compute_p_like
from pipelines.loaders.simulation.simulated_exposure import (
    DAY,
    DAYS,
    LIST_LENGTH,
    VIEWERS_PER_BATCH,
    Impressions,
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


@pytest.fixture(scope="module")
def town() -> SimulatedPopulation:
    return build_population(seed=1, people=2_000)


@pytest.fixture(scope="module")
def decided(town: SimulatedPopulation) -> tuple[Impressions, BoolArray]:
    blocks = list(simulate_decisions(town))
    columns = (
        np.concatenate([vars(impressions)[name] for impressions, _ in blocks])
        for name in Impressions.__dataclass_fields__
    )
    return Impressions(*columns), np.concatenate([liked for _, liked in blocks])


def test_examination_of_the_first_three_positions() -> None:
    np.testing.assert_allclose(compute_examination(np.array([1, 2, 3])), [1, 0.6309297535714575, 0.5])


WEIGHTS = np.array([1.0, 2.0, 5.0])
BY_HAND: dict[tuple[int, ...], tuple[float, ...]] = {  # order → probability of each at its place given those above
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
    assert chisquare([seen[order] for order in permutations(range(3))], expected).pvalue > 0.001


def test_a_short_plackett_luce_list_still_counts_those_left_out() -> None:
    items, chance = draw_plackett_luce(WEIGHTS, 2, np.random.default_rng(1))
    np.testing.assert_allclose(chance, BY_HAND[(*items.tolist(), 3 - items.sum())][:2])


def test_a_long_list_runs_from_the_heaviest_down_when_weights_differ_widely() -> None:
    rng = np.random.default_rng(2)
    log_weights = rng.permutation(np.linspace(-300, 300, 2_000))
    items, _ = draw_plackett_luce(np.exp(log_weights), 1_000, rng)
    assert np.corrcoef(log_weights[items], np.arange(1_000))[0, 1] < -0.999


@settings(max_examples=200, deadline=None)
@given(
    log_weights=st.lists(st.floats(-12, 12), max_size=30),
    length=st.integers(0, 40),
    seed=st.integers(0, 2**32),
)
def test_plackett_luce_ranks_nobody_twice_with_chances_above_0_up_to_1(
    log_weights: list[float], length: int, seed: int
) -> None:
    items, chance = draw_plackett_luce(np.exp(log_weights), length, np.random.default_rng(seed))
    assert len(items) == len(set(items.tolist())) == min(length, len(log_weights))
    assert ((chance > 0) & (chance <= 1)).all()


def kilometres(place: list[float], other: list[float]) -> float:
    latitude, longitude, other_latitude, other_longitude = map(radians, (*place, *other))
    across = cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(sin((other_latitude - latitude) / 2) ** 2 + across))


def one_way(town: SimulatedPopulation, viewer: int, candidate: int) -> bool:
    return bool(
        town.seeks[viewer, town.gender[candidate]]
        and town.age_min[viewer] <= town.age[candidate] <= town.age_max[viewer]
        and kilometres(town.place[viewer].tolist(), town.place[candidate].tolist()) <= town.max_distance_km[viewer]
    )


def test_the_eligible_are_those_both_sides_allow() -> None:
    town = build_population(8, 150)
    pools, everyone = SimulatedPools(town), range(town.people)
    for viewer in everyone:
        allowed = [c for c in everyone if c != viewer and one_way(town, viewer, c) and one_way(town, c, viewer)]
        assert sorted(pools.find_eligible(viewer).tolist()) == allowed


def test_the_shown_are_eligible_and_nobody_is_shown_twice(
    town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]
) -> None:
    impressions, _ = decided
    pairs = set(zip(impressions.viewer.tolist(), impressions.candidate.tolist(), strict=True))
    assert len(pairs) == len(impressions.viewer)
    pools = SimulatedPools(town)
    for viewer in np.unique(impressions.viewer):
        assert set(impressions.candidate[impressions.viewer == viewer]) <= set(pools.find_eligible(viewer))


def test_positions_propensities_and_moments_are_in_range(decided: tuple[Impressions, BoolArray]) -> None:
    impressions, _ = decided
    assert set(impressions.position) == set(range(1, LIST_LENGTH + 1))
    assert (impressions.propensity > 0).all()
    assert (impressions.propensity <= compute_examination(impressions.position)).all()
    end = REFERENCE_TIME.timestamp()
    assert ((impressions.seen_at >= end - DAYS * DAY) & (impressions.seen_at < end)).all()


def test_positions_are_looked_at_as_often_as_examined(decided: tuple[Impressions, BoolArray]) -> None:
    impressions, _ = decided
    # Every list has a first position, which is always looked at; the lists cut short by small pools are few.
    lists = (impressions.position == 1).sum()
    shares = np.bincount(impressions.position)[1:] / lists
    np.testing.assert_allclose(shares, compute_examination(np.arange(1, LIST_LENGTH + 1)), rtol=0.06)


def test_weighing_by_propensity_recovers_how_many_are_eligible(
    town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]
) -> None:
    """Everyone eligible can stand first, so 1 / propensity of whoever does has their number as its mean."""
    impressions, _ = decided
    first = np.array([np.flatnonzero(impressions.viewer == viewer)[0] for viewer in np.unique(impressions.viewer)])
    pools = SimulatedPools(town)
    eligible = np.array([len(pools.find_eligible(viewer)) for viewer in impressions.viewer[first]])
    ratio = 1 / impressions.propensity[first] / eligible
    assert set(impressions.position[first]) == {1}
    assert abs(ratio.mean() - 1) < 3 * ratio.std() / np.sqrt(len(ratio))


def test_the_popular_stand_higher(town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]) -> None:
    impressions, _ = decided
    assert town.appeal[impressions.candidate].mean() > town.appeal.mean() + 0.2


def test_people_decide_thirty_times_on_average_some_never_some_often(
    town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]
) -> None:
    counts = np.bincount(decided[0].viewer, minlength=town.people)
    assert 24 <= counts.mean() <= 36
    assert 0.15 <= (counts == 0).mean() <= 0.3
    assert counts.max() > 150


def test_like_rates_are_realistic(town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]) -> None:
    impressions, liked = decided
    by_gender = {gender: liked[town.gender[impressions.viewer] == code].mean() for code, gender in enumerate(GENDERS)}
    assert 0.25 <= liked.mean() <= 0.35
    assert by_gender["woman"] < 0.25 < 0.33 < by_gender["man"]


def test_likes_come_as_often_as_the_truth_says(
    town: SimulatedPopulation, decided: tuple[Impressions, BoolArray]
) -> None:
    impressions, liked = decided
    truth = compute_p_like(town, impressions.viewer, impressions.candidate)
    decile = np.searchsorted(np.quantile(truth, np.arange(0.1, 1, 0.1)), truth)
    surplus = np.bincount(decile, liked - truth) ** 2 / np.bincount(decile, truth * (1 - truth))
    assert surplus.sum() < 29.6  # the 0.999 quantile of chi-square with 10 degrees of freedom


def test_everybody_who_opens_the_app_and_has_somebody_to_see_decides() -> None:
    town = build_population(1, VIEWERS_PER_BATCH + 3)
    town = replace(town, activity=np.ones(town.people))
    pools = SimulatedPools(town)
    deciding = np.concatenate([np.unique(impressions.viewer) for impressions, _ in simulate_decisions(town)]).tolist()
    assert deciding == [viewer for viewer in range(town.people) if len(pools.find_eligible(viewer))]
    assert deciding[-1] > VIEWERS_PER_BATCH


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_to_see_is_no_decision(people: int) -> None:
    assert sum(len(liked) for _, liked in simulate_decisions(build_population(1, people))) == 0


def test_two_who_may_see_each_other_do() -> None:
    for seed in range(200):
        town = build_population(seed, 2)
        looks = [
            pair for block, _ in simulate_decisions(town) for pair in zip(block.viewer, block.candidate, strict=True)
        ]
        if one_way(town, 0, 1) and one_way(town, 1, 0):
            assert set(looks) <= {(0, 1), (1, 0)}
            if looks:
                return
        else:
            assert looks == []
    pytest.fail("no two people of 200 towns of two ever saw each other")
