"""Nights one after another: lists, a day of the people who see them, and the figures of each day."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd

from models.simulation.behaviour import find_openers, look_through
from models.simulation.event_log import EventLog, open_log
from models.simulation.loop_outcome import measure_day, measure_p_like
from models.simulation.nightly_lists import NightLists
from models.simulation.world import World


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
        log.add_day(look_through(world, day, find_openers(world, day), lists.cards, lists.likes))
        errors = {} if lists.scored is None else measure_p_like(log.world, lists.scored, log.days[-1])
        figures.append(measure_day(log, lists.cards, np.asarray(lists.p_match, np.float64), before) | errors)
        say(day)
    return log, pd.DataFrame(figures)
