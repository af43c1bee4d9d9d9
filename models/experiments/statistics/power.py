"""Power by simulation: after how many nights the smallest effect would be known."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.experiments.statistics.confidence_sequence import ALPHA
from models.experiments.statistics.lift_sequence import follow_lift
from models.experiments.statistics.panel import Panel
from models.ml.arrays import Float64Array, Int64Array

WANTED_POWER = 0.8
REPETITIONS = 200

AssignUnits = Callable[[int], Int64Array]
"""Returns the arm of each unit in a repetition, int64 (u,); below 0: not in the experiment."""


@dataclass(frozen=True)
class Power:
    """The share of repetitions in which the effect was known by each night, (nights,)."""

    known: Float64Array

    @property
    def nights(self) -> int | None:
        """The first night by which the share is WANTED_POWER; None: it never is."""
        enough = np.flatnonzero(self.known >= WANTED_POWER)
        return int(enough[0]) + 1 if len(enough) else None


def simulate_power(
    past: Panel,
    assign_units: AssignUnits,
    effect: float,
    nights: int,
    repetitions: int = REPETITIONS,
    alpha: float = ALPHA,
    seed: int = 0,
    treatment: int = 1,
) -> Power:
    """Simulate experiments on past nights, with an effect that is put in.

    In each repetition, nights are drawn from the past with replacement, whole, so that units stay as different from
    each other as they were; units are assigned as in the experiment; and what is counted in the treatment grows by the
    effect. An effect is known once the interval has no 0.

    Args:
        past: Nights without an experiment. `arm` is not used.
        assign_units: Assigns the units in each repetition.
        effect: The relative effect, above 0, which the sequence is tuned for as well.
        nights: The number of nights of the experiment.
        repetitions: The number of simulated experiments.
        alpha: Probability of a false alarm at any look.
        seed: Another seed draws other nights.
        treatment: Index of the arm that gets the effect.
    """
    rng, known = np.random.default_rng(seed), np.zeros(nights)
    for number in range(repetitions):
        drawn = rng.integers(0, past.nights, nights)
        panel = put_effect(select_nights(past, drawn), assign_units(number), effect, treatment)
        looks = follow_lift(panel, effect, treatment, alpha)
        first = next((look.night for look in looks if look.interval.low > 0 or look.interval.high < 0), None)
        if first is not None:
            known[first - 1 :] += 1
    return Power(known / repetitions)


def select_nights(panel: Panel, nights: Int64Array) -> Panel:
    """Select nights by number, also several times."""
    each = (panel.numerator, panel.denominator, panel.expected)
    return Panel(panel.arm, *(values[nights] for values in each))


def put_effect(panel: Panel, arm: Int64Array, effect: float, treatment: int = 1) -> Panel:
    """Assign units to arms, leave out those below 0, and let the numerator of an arm grow by a relative effect."""
    own = arm >= 0
    each = (values[:, own] for values in (panel.numerator, panel.denominator, panel.expected))
    inside = Panel(arm[own], *each)
    factor = np.where(inside.arm == treatment, 1 + effect, 1.0)
    return replace(inside, numerator=inside.numerator * factor)
