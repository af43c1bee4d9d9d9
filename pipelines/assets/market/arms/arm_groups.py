"""The arms of a night: who is in which arm of which experiment, and the viewers who share a way to make lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from upath import UPath

from models.db.rows.experiment_assignments import Assignment
from models.experiments.design.assignment import NOT_IN_IT, assign_arms, make_unit_keys
from models.experiments.design.experiment import Experiment
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from pipelines.assets.market.market_config import MarketConfig
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table

ASSIGNMENTS_FRAME = "experiment_assignments"
"""The frame of the arms that lists were made with. `publication` stores it with the lists."""


@dataclass(frozen=True)
class ExperimentArms:
    """An experiment of tonight: the index of each user's arm, int64 (users,), NOT_IN_IT for others; and unit keys."""

    experiment: Experiment
    arm: Int64Array
    unit_key: Sequence[str]


@dataclass(frozen=True)
class ArmGroup:
    """Viewers whose lists are made in one way: their configuration, and the ranker; None: the champion."""

    viewers: BoolArray
    config: MarketConfig
    ranker: str | None


def assign_users(experiments: Sequence[Experiment], profiles: pd.DataFrame, night: date) -> list[ExperimentArms]:
    """Assign all users to the arms of the experiments that run tonight; arrays are by row of `profiles`."""
    place = profiles[["latitude", "longitude"]].to_numpy(np.float64)
    found = []
    for experiment in experiments:
        if experiment.has_night(night):
            keys = make_unit_keys(experiment.unit, profiles["profile_id"].tolist(), place, night)
            found.append(ExperimentArms(experiment, assign_arms(experiment, keys), keys.tolist()))
    return found


def group_viewers(config: MarketConfig, arms: Sequence[ExperimentArms], people: int) -> list[ArmGroup]:
    """Group users by how their lists are made; without experiments all are one group with the configuration of the run.

    A user may be in several experiments, which set different fields. Arms that set nothing change nobody's group.
    """
    if not arms:
        return [ArmGroup(np.ones(people, bool), config, None)]
    groups: dict[tuple[str, str | None], ArmGroup] = {}
    table = np.column_stack([each.arm for each in arms])
    combinations, number = np.unique(table, axis=0, return_inverse=True)
    for index, chosen in enumerate(combinations):
        own, ranker = _combine_arms(config, arms, chosen)
        key, viewers = (own.model_dump_json(), ranker), number == index
        same = groups.get(key)
        groups[key] = ArmGroup(viewers if same is None else viewers | same.viewers, own, ranker)
    return list(groups.values())


def list_swap_rates(groups: Sequence[ArmGroup]) -> Float64Array:
    """List the swap rate of each user's list, float64 (users,)."""
    rates = np.zeros(len(groups[0].viewers))
    for group in groups:
        rates[group.viewers] = group.config.swap_rate
    return rates


def list_arm_users(arms: Sequence[ExperimentArms]) -> list[tuple[str, str, BoolArray]]:
    """List the name of the experiment, the name of the arm, and its users, bool (users,), for each arm."""
    return [
        (each.experiment.name, arm.name, each.arm == index)
        for each in arms
        for index, arm in enumerate(each.experiment.arms)
    ]


def store_arms(arms: Sequence[ExperimentArms], ids: pd.Index, path: UPath) -> None:
    """Store who is in which arm: profile_id, experiment, arm and unit_key, a row for each user of an experiment."""
    frames = [pd.DataFrame({name: pd.Series(dtype="str") for name in Assignment._fields})]
    for each in arms:
        inside = np.flatnonzero(each.arm != NOT_IN_IT)
        names = np.array([arm.name for arm in each.experiment.arms], object)[each.arm[inside]]
        keys = np.array(each.unit_key, object)[inside]
        columns = dict(zip(Assignment._fields, (ids[inside], each.experiment.name, names, keys), strict=True))
        frames.append(pd.DataFrame(columns).astype("str"))
    write_table(convert_to_table(pd.concat(frames, ignore_index=True)), path)


def read_arms(path: UPath) -> list[Assignment]:
    """Read who is in which arm, as of the stored lists; nobody if it was not stored."""
    try:
        frame = convert_from_table(read_table(path))
    except FileNotFoundError:
        return []
    return [Assignment(*row) for row in frame[list(Assignment._fields)].itertuples(index=False)]


def _combine_arms(
    config: MarketConfig, arms: Sequence[ExperimentArms], chosen: Int64Array
) -> tuple[MarketConfig, str | None]:
    """Return the configuration and the ranker of users in these arms, one for each experiment."""
    changed: dict[str, Any] = config.model_dump()
    ranker = None
    for each, index in zip(arms, chosen, strict=True):
        if index != NOT_IN_IT:
            arm = each.experiment.arms[index]
            changed |= _read_market(arm.market)
            ranker = arm.ranker or ranker
    return MarketConfig.model_validate(changed), ranker


def _read_market(market: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an arm as the configuration has them, so that equal ones compare equal."""
    parsed = MarketConfig.model_validate(dict(market))
    return {name: getattr(parsed, name) for name in market}
