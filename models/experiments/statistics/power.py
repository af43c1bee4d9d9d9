"""Power by simulation: after how many nights the smallest effect would be known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.experiments.statistics.confidence_sequence import ALPHA
from models.experiments.statistics.lift_sequence import follow_lift
from models.experiments.statistics.panel import Panel, join_runs
from models.ml.arrays import Float64Array, Int64Array

WANTED_POWER = 0.8
REPETITIONS = 200

DrawPanel = Callable[[int], Panel]
"""Draws the nights of one repetition, by its number, with the effect in arm 1."""


@dataclass(frozen=True)
class Power:
    """The share of repetitions in which the effect was known by each night, float64 (nights,)."""

    known: Float64Array

    @property
    def nights(self) -> int | None:
        """The first night by which the share is WANTED_POWER; None: it never is."""
        enough = np.flatnonzero(self.known >= WANTED_POWER)
        return int(enough[0]) + 1 if len(enough) else None


def simulate_power(
    draw_panel: DrawPanel, nights: int, effect: float, alpha: float = ALPHA, repetitions: int = REPETITIONS
) -> Power:
    """Simulate experiments with a known effect. It is known once the interval of the lift has no 0.

    Args:
        draw_panel: Draws the nights of a repetition.
        nights: The number of nights, at least 1.
        effect: The relative effect, above 0, which the sequence is tuned for.
        alpha: Probability of a false alarm at any look.
        repetitions: The number of simulated experiments, at least 1.
    """
    known = np.zeros(nights)
    for number in range(repetitions):
        looks = follow_lift(draw_panel(number), effect, alpha=alpha)
        first = next((look.night for look in looks if look.interval.low > 0 or look.interval.high < 0), None)
        if first is not None:
            known[first - 1 :] += 1
    return Power(known / repetitions)


def draw_units(past: Panel, arm: Int64Array, effect: float, nights: int, rng: np.random.Generator) -> Panel:
    """Draw the nights of persons or regions from the past, whole and with replacement.

    Units stay as different from each other as they were. Without a week before them, CUPED has nothing to explain, so
    the plan is a little too long.

    Args:
        past: Nights without the effect; `arm` is not used.
        arm: The arm of each unit, int64 (u,); those below 0 are left out.
        effect: What the numerator of arm 1 grows by, relative.
        nights: The number of nights to draw.
        rng: Draws them.
    """
    drawn, own = rng.integers(0, past.nights, nights), arm >= 0
    numerator, denominator = (values[drawn][:, own] for values in (past.numerator, past.denominator))
    return _grow(Panel(arm[own], numerator, denominator, denominator), effect)


def draw_switchback(past: Panel, arm: Int64Array, effect: float, rng: np.random.Generator) -> Panel:
    """Draw the nights of a switchback from the past, with replacement, and join them into runs.

    Args:
        past: Nights without the effect; all units of a night count together.
        arm: The arm of each night to draw, int64 (n,); those below 0 have none.
        effect: What the numerator of arm 1 grows by, relative.
        rng: Draws the nights.
    """
    drawn = rng.integers(0, past.nights, len(arm))
    numerator, denominator = (np.diag(values.sum(axis=1)[drawn]) for values in (past.numerator, past.denominator))
    own = arm >= 0
    return join_runs(_grow(Panel(arm[own], numerator[:, own], denominator[:, own], denominator[:, own]), effect))


def _grow(panel: Panel, effect: float) -> Panel:
    """Let what is counted in arm 1 grow."""
    factor = np.where(panel.arm == 1, 1 + effect, 1.0)
    return Panel(panel.arm, panel.numerator * factor, panel.denominator, panel.expected)
