"""Who shares a way to make lists: one group where no arm changes anything, and combinations of two experiments."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from upath import UPath

from models.db.rows.experiment_assignments import Assignment
from models.experiments.design.assignment import NOT_IN_IT
from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from pipelines.assets.market.arms.arm_groups import (
    ExperimentArms,
    assign_users,
    group_viewers,
    list_arm_users,
    list_swap_rates,
    read_arms,
    store_arms,
)
from pipelines.assets.market.market_config import MarketConfig, Policy

CONFIG = MarketConfig.model_validate({"lasting_weight": 0.2})
IDS = pd.Index(["a", "b", "c", "d", "e", "f"])


def make_experiment(name: str, *arms: ExperimentArm) -> Experiment:
    days = (date(2026, 11, 1), date(2026, 11, 30))
    return Experiment(name, "Why not?", Unit.person, name, 1.0, arms, *days, "matches", (), 0.1)


ORDER = make_experiment(
    "order", ExperimentArm("control", 0.5, {}), ExperimentArm("product", 0.5, {"policy": "product"}, "challenger")
)
SWAPS = make_experiment(
    "swaps", ExperimentArm("none", 0.5, {"swap_rate": 0}), ExperimentArm("some", 0.5, {"swap_rate": 0.1})
)
BOTH = [
    ExperimentArms(ORDER, np.array([0, 0, 1, 1, NOT_IN_IT, 1]), list("abcdef")),
    ExperimentArms(SWAPS, np.array([0, 1, 0, 1, NOT_IN_IT, NOT_IN_IT]), list("abcdef")),
]


def test_users_of_two_experiments_are_grouped_by_what_both_arms_set() -> None:
    groups = group_viewers(CONFIG, BOTH, 6)
    found = {
        (group.config.policy, group.config.swap_rate, group.ranker): "".join(IDS[group.viewers]) for group in groups
    }
    assert found == {
        (Policy.best_response, 0.0, None): "ae",
        (Policy.best_response, 0.1, None): "b",
        (Policy.product, 0.0, "challenger"): "cf",
        (Policy.product, 0.1, "challenger"): "d",
    }
    assert {group.config.lasting_weight for group in groups} == {0.2}
    assert list_swap_rates(groups).tolist() == [0, 0.1, 0, 0.1, 0, 0]
    assert [(*names, viewers.sum()) for *names, viewers in list_arm_users(BOTH)] == [
        *(("order", "control", 2), ("order", "product", 3)),
        *(("swaps", "none", 2), ("swaps", "some", 2)),
    ]


def test_without_experiments_all_are_one_group() -> None:
    (group,) = group_viewers(CONFIG, [], 6)
    assert (group.config, group.ranker, int(group.viewers.sum())) == (CONFIG, None, 6)


def test_only_experiments_of_the_night_assign() -> None:
    profiles = pd.DataFrame({"profile_id": IDS, "latitude": 52.0, "longitude": np.nan})
    assert assign_users([ORDER, SWAPS], profiles, date(2026, 12, 1)) == []
    (order, _) = assign_users([ORDER, SWAPS], profiles, date(2026, 11, 30))
    assert order.unit_key == list(IDS)


def test_the_stored_arms_are_those_of_users_who_take_part(tmp_path: Path) -> None:
    path = UPath(tmp_path / "arms.parquet")
    assert read_arms(path) == []
    store_arms([], IDS, path)
    assert read_arms(path) == []
    store_arms(BOTH[1:], IDS, path)
    arms = zip("abcd", ("none", "some", "none", "some"), strict=True)
    assert read_arms(path) == [Assignment(user, "swaps", arm, user) for user, arm in arms]
