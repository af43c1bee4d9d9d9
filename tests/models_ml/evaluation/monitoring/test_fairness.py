"""What lists give to each user, by worked examples."""

import numpy as np
import pandas as pd
import pytest

from models.ml.evaluation.monitoring.fairness import (
    MIN_GROUP,
    build_groups,
    compute_nash_welfare,
    compute_user_matches,
    measure_envy,
    measure_fairness,
    summarise_groups,
)
from models.ml.market import AttentionModel
from models.ml.market.comparison import compute_outcome, make_policy_lists
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.ranked_lists import compute_positions

LOOKS = np.array([1.0, 0.5])


def two_sides(p_like: "list[list[float]]") -> MarketGraph:
    """Users 0 and 1 on one side, 2 and 3 on the other; all like back with one half."""
    viewer = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    candidate = np.array([2, 3, 2, 3, 0, 1, 0, 1])
    there = np.array([*p_like[0], *p_like[1], 0.5, 0.5, 0.5, 0.5])
    return build_market_graph(viewer, candidate, there, np.full(8, 0.5))


def place(graph: MarketGraph, first: dict[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """Lists in which each viewer's first candidate is given, and the other one second."""
    scores = np.array(
        [float(first[viewer] == candidate) for viewer, candidate in zip(graph.viewer, graph.candidate, strict=True)]
    )
    return compute_positions(graph, scores.astype(np.float32), 2)


def test_who_stands_second_everywhere_envies_who_stands_first() -> None:
    """On each side one user is first in both lists, whom the other envies, and not the other way round."""
    graph = two_sides([[0.8, 0.4], [0.8, 0.4]])
    sides = np.array([0, 0, 1, 1])
    assert measure_envy(graph, place(graph, {0: 2, 1: 2, 2: 0, 3: 0}), LOOKS, sides) == 0.5


def test_nobody_envies_who_is_first_where_each_wants_to_be() -> None:
    """User 0 prefers 2 and stands first there; user 1 prefers 3 and stands first there; likewise the other side."""
    graph = two_sides([[0.8, 0.2], [0.2, 0.8]])
    sides = np.array([0, 0, 1, 1])
    assert measure_envy(graph, place(graph, {0: 2, 1: 3, 2: 0, 3: 1}), LOOKS, sides) == 0.0
    assert measure_envy(graph, place(graph, {0: 2, 1: 3, 2: 1, 3: 0}), LOOKS, sides) == 0.5
    assert measure_envy(graph, place(graph, {0: 2, 1: 3, 2: 1, 3: 0}), LOOKS, np.array([-1, -1, 0, 0])) == 0.0


def test_nash_welfare_falls_when_a_gain_goes_to_the_rich() -> None:
    assert compute_nash_welfare(np.array([2.0, 8.0])) == pytest.approx(4.0)
    assert compute_nash_welfare(np.array([1.0, 9.0])) < compute_nash_welfare(np.array([5.0, 5.0]))
    assert compute_nash_welfare(np.array([0.0, 1.0])) == pytest.approx(0.1)  # as if 0 were 0.01
    assert compute_nash_welfare(np.empty(0)) == 0.0


def test_groups_have_their_mean_its_interval_and_enough_people() -> None:
    chance = np.concatenate([np.full(MIN_GROUP, 0.25), np.tile([0.0, 1.0], 50), np.full(MIN_GROUP - 1, 0.9)])
    gender = np.repeat(["a", "b", "few"], [MIN_GROUP, 100, MIN_GROUP - 1])
    found = summarise_groups(chance, pd.DataFrame({"gender": gender}, index=np.arange(len(chance))[::-1]))
    assert found[["by", "group", "people"]].to_numpy().tolist() == [["gender", "a", MIN_GROUP], ["gender", "b", 100]]
    assert found[["mean", "low", "high"]].iloc[0].tolist() == [0.25, 0.25, 0.25]
    assert found[["low", "high"]].iloc[1].to_numpy() == pytest.approx(
        0.5 + np.array([-1, 1]) * 1.96 * 0.0502519, abs=1e-5
    )


def test_each_policy_has_its_figures_and_its_groups() -> None:
    """Two sides with enough people; expected matches, summed over both ends, are twice their number."""
    people, rng = 2 * MIN_GROUP, np.random.default_rng(5)
    viewer, candidate = (each.ravel() for each in np.meshgrid(np.arange(people), np.arange(people), indexing="ij"))
    across = (viewer < MIN_GROUP) != (candidate < MIN_GROUP)
    viewer, candidate = viewer[across], candidate[across]
    p_like = rng.uniform(0.1, 0.6, (people, people))
    graph = build_market_graph(viewer, candidate, p_like[viewer, candidate], p_like[candidate, viewer])
    attention = AttentionModel()
    lists = {name: make_policy_lists(graph, attention, name).positions for name in ("product", "random")}
    profiles = pd.DataFrame(
        {
            "gender": np.repeat(["man", "woman"], MIN_GROUP),
            "seeks": [["woman"]] * MIN_GROUP + [["woman", "man"]] * MIN_GROUP,
            "age": np.full(people, 30),
        }
    )
    groups = build_groups(profiles, pd.Series(np.r_[np.full(MIN_GROUP, 3.0), np.full(MIN_GROUP, 400.0)]))
    overall, by_group = measure_fairness(graph, attention, lists, groups)
    assert overall["policy"].tolist() == ["product", "random"]
    assert overall["people_matched"].iloc[0] > overall["people_matched"].iloc[1]
    assert overall["nash_welfare"].iloc[0] > overall["nash_welfare"].iloc[1]
    of_product = by_group[by_group["policy"] == "product"]
    assert of_product["group"].tolist() == [
        "man seeks woman",
        "woman seeks man, woman",
        "30-34",
        "first week",
        "longer",
    ]
    assert (of_product["low"] <= of_product["mean"]).all()
    chance, matches = compute_user_matches(graph, attention, lists["product"])
    expected = compute_outcome(graph, attention, lists["product"])["expected_matches"]
    assert matches.sum() == pytest.approx(2 * expected, rel=1e-4)
    assert overall["people_matched"].iloc[0] == pytest.approx(chance.mean())
