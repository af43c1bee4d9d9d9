"""Measure what experiments say of an effect that is known: `python -m tests.bench.experiments`.

Each repetition assigns a market of regions anew, by person, by region and by night, and draws its nights. The effect is
best response for all against the order of p_match for all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import typer
from numpy.typing import NDArray

from models.experiments.design.assignment import assign_arms
from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from models.experiments.statistics.contamination import LEAST_CONTRAST, compute_contrast
from models.experiments.statistics.lift_sequence import Look, follow_lift
from models.experiments.statistics.panel import Panel, join_runs
from models.experiments.statistics.switchback import WASHOUT
from models.ml.arrays import Float64Array, Int64Array
from tests.bench.false_alarms import DRAWS, count_alarms
from tests.bench.regional_market import RegionalMarket, count_matches, draw_nights, make_regional_market

NIGHTS, SWITCHED_NIGHTS, WEEK = 14, 60, 7
EFFECT = 0.1
"""The smallest effect that the sequences are tuned for."""
WAITING = 0.4
"""The part of matches that come a night later, when a like that waited is answered."""
FIRST = date(2026, 1, 1)


@dataclass(frozen=True)
class Repetition:
    """What one experiment says at its end, also corrected for contamination if it can be; and its contrast."""

    plain: Look
    corrected: Look | None
    contrast: float


@dataclass(frozen=True)
class Summary:
    """What all repetitions of a design say, on the scale of the logarithm of the lift."""

    design: str
    bias: float
    bias_error: float
    spread: float
    error: float
    covered: float
    contrast: float
    repetitions: int


def make_experiment(unit: Unit, number: int) -> Experiment:
    """One experiment of half and half; each number assigns anew."""
    arms = tuple(ExperimentArm(name, 0.5, {"policy": name}) for name in ("product", "best_response"))
    name, last = f"{unit}-{number}", FIRST + timedelta(days=365)
    return Experiment(name, "More matches.", unit, "market", 1, arms, FIRST, last, "matches", (), EFFECT)


def assign_keys(unit: Unit, number: int, keys: list[str]) -> Int64Array:
    return assign_arms(make_experiment(unit, number), np.array(keys, object))


def run_by_person(market: RegionalMarket, number: int, before: Float64Array) -> Repetition:
    """The naive design: each person has an arm."""
    arm = assign_keys(Unit.person, number, [str(person) for person in range(market.people)])
    return measure_arms(market, number, arm, np.arange(market.people), before)


def run_by_region(market: RegionalMarket, number: int, before: Float64Array) -> Repetition:
    """All people of a region have its arm; the lift is corrected for matches between arms."""
    arm = assign_keys(Unit.region, number, [f"region {region}" for region in range(market.region.max() + 1)])
    return measure_arms(market, number, arm[market.region], market.region, before)


def measure_arms(
    market: RegionalMarket, number: int, arm: Int64Array, unit: Int64Array, before: Float64Array
) -> Repetition:
    """Draw the nights of an experiment in which each person keeps their arm.

    Args:
        market: The market.
        number: Seeds the nights.
        arm: The arm of each person, (people,).
        unit: The number of each person's unit, (people,).
        before: Matches of each person and night in the week before, (people,).
    """
    nights = draw_nights(market.make_likes(arm == 1), NIGHTS, np.random.default_rng(number))
    sums = np.array([np.bincount(unit, row) for row in count_matches(nights, market.people)])
    sizes = np.bincount(unit).astype(np.float64)
    first = np.unique(unit, return_index=True)[1]
    panel = Panel(arm[first], sums, sizes * np.ones((NIGHTS, 1)), np.bincount(unit, before) * np.ones((NIGHTS, 1)))
    contrast = measure_contrast(arm[np.concatenate(nights)])
    plain = follow_lift(panel, EFFECT)[-1]
    corrected = follow_lift(panel, EFFECT, contrast=contrast)[-1] if contrast >= LEAST_CONTRAST else None
    return Repetition(plain, corrected, contrast)


def measure_contrast(ends: Int64Array) -> float:
    """The contrast of matches whose people have these arms, (matches, 2)."""
    sides = np.concatenate([ends, ends[:, ::-1]])
    own = [sides[sides[:, 0] == arm, 1] for arm in (0, 1)]
    mixed = tuple(float((other != arm).sum()) for arm, other in enumerate(own))
    return compute_contrast((mixed[0], mixed[1]), (float(len(own[0])), float(len(own[1]))))


def run_by_night(market: RegionalMarket, number: int, _before: Float64Array) -> Repetition:
    """All people have the arm of the night; nights are lively or not, and some matches come a night later."""
    return follow_switchback(market, number, WASHOUT)


def run_without_washout(market: RegionalMarket, number: int, _before: Float64Array) -> Repetition:
    return follow_switchback(market, number, 0)


def follow_switchback(market: RegionalMarket, number: int, washout: int) -> Repetition:
    rng = np.random.default_rng(number)
    days = [(FIRST + timedelta(days=night)).isoformat() for night in range(SWITCHED_NIGHTS)]
    arm, week = assign_keys(Unit.night, number, days), np.zeros(WEEK, np.int64)
    matches = draw_switched_matches(market, np.concatenate([week, arm]), rng)
    late = rng.binomial(matches, WAITING)
    counted = (matches - late + np.concatenate([late[:1], late[:-1]])).astype(np.float64)
    people = np.diag(np.full(SWITCHED_NIGHTS, float(market.people)))
    panel = join_runs(Panel(arm, np.diag(counted[WEEK:]), people, np.diag(counted[:-WEEK])), washout)
    return Repetition(follow_lift(panel, EFFECT)[-1], None, 1.0)


def draw_switched_matches(market: RegionalMarket, arm: Int64Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """The matches that the lists of each night lead to, counted for both people, int64 (nights,)."""
    lively = 0.9 + 0.1 * np.sin(2 * np.pi * np.arange(len(arm)) / WEEK) + 0.02 * rng.standard_normal(len(arm))
    found = np.zeros(len(arm), np.int64)
    for number, likes in enumerate(market.plain):
        own = np.flatnonzero(arm == number)
        found[own] = [2 * len(ends) for ends in draw_nights(likes, len(own), rng)]
    return rng.binomial(found, np.clip(lively, 0, 1))


Design = Callable[[RegionalMarket, int, Float64Array], Repetition]
DESIGNS: dict[str, Design] = {
    "person": run_by_person,
    "region": run_by_region,
    "night": run_by_night,
    "night, no washout": run_without_washout,
}


def repeat_design(market: RegionalMarket, design: str, repetitions: int) -> list[Summary]:
    """Repeat the experiment of a design in one market, each time with another assignment and other nights.

    Returns a summary of the lifts as they are, and one of the corrected ones where there are any.
    """
    week = draw_nights(market.plain[0], WEEK, np.random.default_rng(10**6))
    before = count_matches(week, market.people).mean(axis=0)
    found = [DESIGNS[design](market, number, before) for number in range(repetitions)]
    contrast = float(np.mean([each.contrast for each in found]))
    corrected = [each.corrected for each in found if each.corrected is not None]
    summaries = [summarise_looks(design, [each.plain for each in found], market.true_lift, contrast)]
    if corrected:
        summaries.append(summarise_looks(f"{design}, corrected", corrected, market.true_lift, contrast))
    return summaries


def summarise_looks(design: str, looks: list[Look], truth: float, contrast: float) -> Summary:
    missed = np.array([look.lift.log for look in looks]) - truth
    spread = float(missed.std(ddof=1))
    return Summary(
        design,
        float(missed.mean()),
        spread / np.sqrt(len(looks)),
        spread,
        float(np.mean([look.lift.error for look in looks])),
        float(np.mean([look.interval.low <= truth <= look.interval.high for look in looks])),
        contrast,
        len(looks),
    )


def main(repetitions: int = 200, seed: int = 1) -> None:
    """Print how often A/A experiments raise an alarm, then a table for each part of candidates in other regions."""
    typer.echo("| A/A, by | false alarms | of the usual interval |\n|---|---|---|")
    for unit in DRAWS:
        alarms, usual = count_alarms(unit, repetitions)
        typer.echo(f"| {unit} | {alarms / repetitions:.1%} | {usual / repetitions:.1%} |")
    for across in (0.05, 0.2, 0.0):
        market = make_regional_market(across=across, seed=seed)
        typer.echo(f"\n{market.people:,} people, {across:.0%} across; true log lift {market.true_lift:+.4f}\n")
        typer.echo("| assigned | bias | ± | spread | said error | covered | contrast | repetitions |")
        typer.echo("|---|---|---|---|---|---|---|---|")
        for design in DESIGNS:
            for each in repeat_design(market, design, repetitions):
                typer.echo(format_summary(each))


def format_summary(each: Summary) -> str:
    said = f"| {each.design} | {each.bias:+.4f} | {each.bias_error:.4f} | {each.spread:.4f} | {each.error:.4f} |"
    return f"{said} {each.covered:.1%} | {each.contrast:.3f} | {each.repetitions} |"


if __name__ == "__main__":
    typer.run(main)
