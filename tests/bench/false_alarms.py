"""A/A experiments of each unit, looked at each night: how often the interval raises a false alarm."""

from collections.abc import Callable

import numpy as np

from models.experiments.statistics.lift_sequence import follow_lift
from models.experiments.statistics.panel import Panel, join_runs
from models.ml.arrays import Float64Array

NIGHTS = 30
EFFECT = 0.1
WEEKDAYS = np.array([1.0, 0.9, 0.9, 0.95, 1.1, 1.3, 1.2])


def draw_people(rng: np.random.Generator) -> Panel:
    """400 people, some with ten times the matches of others, some of whom join later; last week is known of most."""
    rate = rng.gamma(0.5, 0.3, 400)
    there = np.arange(NIGHTS)[:, None] >= np.maximum(rng.integers(-60, NIGHTS, 400), 0)
    before = np.where(there[0], rng.poisson(7 * rate) / 7, rate.mean())
    counts = rng.poisson(rate * WEEKDAYS[np.arange(NIGHTS) % 7, None], (NIGHTS, 400)) * there
    return make_panel(rng.integers(0, 2, 400), counts, there, before * there)


def draw_regions(rng: np.random.Generator, regions: int) -> Panel:
    """Regions of unequal size whose rates differ, and drift from night to night."""
    people = np.maximum(rng.lognormal(4, 0.7, regions).round(), 20) * np.ones((NIGHTS, 1))
    level = rng.normal(0, 0.2, regions) + 0.03 * rng.standard_normal((NIGHTS, regions)).cumsum(axis=0)
    rate = 0.15 * np.exp(level) * WEEKDAYS[np.arange(NIGHTS) % 7, None]
    before = 0.15 * np.exp(level[0] + rng.normal(0, 0.1, regions))
    arm = rng.permutation(np.arange(regions) % 2)
    return make_panel(arm, rng.poisson(rate * people), people, before * people)


def draw_nights(rng: np.random.Generator) -> Panel:
    """Nights of a market that grows, with weekdays and moods that last; last week's night is what is expected."""
    noise, mood = 0.05 * rng.standard_normal(NIGHTS + 7), np.zeros(NIGHTS + 7)
    for night in range(1, NIGHTS + 7):
        mood[night] = 0.6 * mood[night - 1] + noise[night]
    trend = 0.005 * np.arange(NIGHTS + 7)
    rate = 0.15 * np.exp(mood + trend) * WEEKDAYS[np.arange(NIGHTS + 7) % 7]
    matches = rng.poisson(1000 * rate)
    diagonal = (np.diag(each) for each in (matches[7:], np.full(NIGHTS, 1000.0), matches[:-7]))
    return join_runs(make_panel(rng.integers(0, 2, NIGHTS), *diagonal))


def make_panel(arm: np.ndarray, numerator: np.ndarray, denominator: np.ndarray, expected: np.ndarray) -> Panel:
    values: list[Float64Array] = [np.asarray(each, np.float64) for each in (numerator, denominator, expected)]
    return Panel(arm.astype(np.int64), *values)


DRAWS: dict[str, Callable[[np.random.Generator], Panel]] = {
    "person": draw_people,
    "8 regions": lambda rng: draw_regions(rng, 8),
    "40 regions": lambda rng: draw_regions(rng, 40),
    "night": draw_nights,
}


def count_alarms(unit: str, repetitions: int, seed: int = 18) -> tuple[int, int]:
    """Experiments with an alarm on any night: by the sequence, and by the usual interval of 95 %."""
    rng, sequence, usual = np.random.default_rng(seed), 0, 0
    for _ in range(repetitions):
        looks = follow_lift(DRAWS[unit](rng), EFFECT)
        sequence += any(look.interval.low > 0 or look.interval.high < 0 for look in looks)
        usual += any(abs(look.lift.log) > 1.96 * look.lift.error for look in looks)
    return sequence, usual
