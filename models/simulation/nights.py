"""Nights one after another: lists, a day of the people who see them, and the figures of each day."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.simulation.behaviour import NightLists, find_openers, look_through
from models.simulation.disclosure import find_most_told
from models.simulation.event_log import EventLog, open_log
from models.simulation.loop_outcome import (
    PersonalOutcome,
    add_intervals,
    compare_counts,
    measure_day,
    measure_p_like,
    measure_people,
)
from models.simulation.world import World

Follow = Callable[[EventLog], Mapping[str, Int64Array]]
"""Counts what follows the matches of each person, int64 (n,) by figure."""


class Arm(Protocol):
    """What makes the lists of each night; it may remember the nights before."""

    def make_lists(self, log: EventLog) -> NightLists:
        """Make the lists of the next night."""


def simulate_nights(
    world: World, arm: Arm, days: int, say: Callable[[int], None] = lambda _: None
) -> tuple[EventLog, pd.DataFrame]:
    """Simulate days of lists and reactions.

    Args:
        world: The people.
        arm: Makes the lists.
        days: Number of days.
        say: Receives the number of each day that is done.

    Returns:
        The log after the last day, and the figures of each day: see `measure_day` and `measure_p_like`.
    """
    log, figures = open_log(world), []
    for day in range(days):
        lists = arm.make_lists(log)
        before = EventLog(world, log.decided.copy(), log.interactions)
        log.add_day(lists, look_through(world, day, find_openers(world, day), lists.cards, lists.likes))
        errors = {} if lists.scored is None else measure_p_like(log.world, lists.scored, log.days[-1])
        figures.append(measure_day(log, lists.cards, np.asarray(lists.p_match, np.float64), before) | errors)
        say(day)
    return log, pd.DataFrame(figures)


def simulate_arms(
    world: World,
    arms: Mapping[str, Arm],
    days: int,
    say: Callable[[str, int], None] = lambda _arm, _day: None,
    follow: Follow | None = None,
    objective: str = "matches",
) -> pd.DataFrame:
    """Simulate the same days with each arm: the same people, who have the same luck.

    Args:
        world: The people.
        arms: The arms by name; the others are compared with the first one.
        days: Number of days.
        say: Receives the arm and the number of each day that is done.
        follow: Counts what follows the matches of each person, by figure; None: only matches are counted.
        objective: The figure that the gain is in: `matches`, or one that `follow` counts.

    Returns:
        A row an arm and day: arm, and the figures of `measure_day`. On the last day also the bounds of the 95 %
        intervals of some of them, in the columns `*_low` and `*_high`, the relative gain in matches over the first arm,
        gain, gain_low and gain_high, and most_told; see `find_most_told`. With `follow` also its figures over all.
    """
    frames: list[pd.DataFrame] = []
    first: tuple[PersonalOutcome, Int64Array] | None = None
    for name, arm in arms.items():
        log, figures = simulate_nights(world, arm, days, partial(say, name))
        outcome = measure_people(log)
        counts = {} if follow is None else follow(log)
        aim = counts.get(objective, outcome.matches)
        first = first or (outcome, aim)
        figures.insert(0, "arm", name)
        figures.loc[figures.index[-1], "most_told"] = find_most_told(log)
        for figure, each in counts.items():
            figures.loc[figures.index[-1], figure] = each.sum() / 2
        frames.append(add_intervals(figures, outcome, compare_counts(aim, first[1], world.seed), world.seed))
    return pd.concat(frames, ignore_index=True)
