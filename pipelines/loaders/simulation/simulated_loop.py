"""Nights simulated in the world of the simulated population, with each arm of a choice."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from models.db.errors import InputError
from models.simulation.arms.arm_registry import ArmChoice, build_arms
from models.simulation.event_log import open_log
from models.simulation.nights import simulate_arms
from models.simulation.world import World
from pipelines.loaders.simulation.simulated_loader import MAX_SEED
from pipelines.loaders.simulation.simulated_world import build_world

MAX_DAYS = 365
MAX_PEOPLE = 10_000
"""More people would need too much memory: who decided on whom is an array of all pairs."""


@dataclass(frozen=True)
class LoopPlan:
    """What to simulate.

    Attributes:
        days: Number of days, from 1.
        people: Number of people on the first day, from 1.
        joiners: Number of people who join on each later day.
        seed: Seed of people and luck.
        choice: The arms.
    """

    days: int = 14
    people: int = 1000
    joiners: int = 20
    seed: int = 1
    choice: ArmChoice = field(default_factory=ArmChoice)

    def check(self) -> None:
        """Check the sizes, the seed and the choice.

        Raises:
            InputError: One of them is out of range.
        """
        if not 1 <= self.days <= MAX_DAYS:
            raise InputError(f"{self.days} days cannot be simulated; ask for 1 to {MAX_DAYS}")
        if self.people < 1 or self.joiners < 0:
            raise InputError(
                f"{self.people} people and {self.joiners} joiners a day cannot be simulated; ask for at least one "
                "person, and for no negative number of joiners"
            )
        if (total := self.people + self.joiners * (self.days - 1)) > MAX_PEOPLE:
            raise InputError(
                f"{total:,} people in all cannot be simulated, as memory grows with their square; ask for at most "
                f"{MAX_PEOPLE:,}, joiners included"
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"{self.seed} cannot be a seed; give a whole number from 0 to {MAX_SEED}")
        self.choice.check()


def open_world(plan: LoopPlan) -> World:
    """Build the world of a plan.

    Raises:
        InputError: A number or name of the plan is out of range, or a package is missing.
    """
    plan.check()
    return build_world(plan.people, plan.joiners, plan.days, plan.seed)


def simulate_loop(
    plan: LoopPlan, say: Callable[[str, int], None] = lambda _arm, _day: None, world: World | None = None
) -> pd.DataFrame:
    """Simulate the nights of a plan; the same plan gives the same figures.

    Args:
        plan: What to simulate.
        say: Receives the arm and the number of each day that is done.
        world: The world of the plan, if it is open already.

    Returns:
        The figures of each arm and day: see `simulate_arms`.

    Raises:
        InputError: A number or name of the plan is out of range, or a package is missing.
    """
    world = open_world(plan) if world is None else world
    return simulate_arms(world, build_arms(plan.choice, open_log(world)), plan.days, say)
