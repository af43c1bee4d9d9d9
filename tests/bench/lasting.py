"""Measure the weight of p_on and the load discount in simulated nights: `python -m tests.bench.lasting`.

All arms of a seed share people, luck and the first ranker, which sees no texts. What follows their matches is simulated
for 30 days, once as measured, and once with an assumed strain: people who have matched much lately answer less.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import typer
from scipy.stats import spearmanr

from models.ml.arrays import Int64Array
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.simulation.arms.product import Product
from models.simulation.event_log import open_log
from models.simulation.loop_outcome import compare_counts
from models.simulation.nightly_lists import score_night, train_tonight
from models.simulation.nights import simulate_nights
from models.simulation.outlook import Outlook, open_outlook
from models.simulation.world import World
from pipelines.loaders.simulation.simulated_world import build_world

STRAIN = 0.1
"""Log odds for each unit of log(1 + recent matches) of either of the two."""
ARMS = {
    "as today": (0.0, 0.0),
    "weight 1": (1.0, 0.0),
    "load 0.3": (0.0, 0.3),
    "weight 0.5": (0.5, 0.0),
    "load 0.1": (0.0, 0.1),
    "weight 0.25": (0.25, 0.0),
}
Counts = dict[str, Int64Array]


@dataclass(frozen=True)
class Measured:
    """What each person has at the end of an arm, by figure, (n,) each."""

    arm: str
    counts: Counts


def run_arms(world: World, days: int) -> list[Measured]:
    """Simulate the nights of all arms."""
    log = open_log(world)
    ranker = train_tonight(log, None)
    outlook = open_outlook(world, score_night(log, ranker, world.find_present(0)).scored, STRAIN)
    print_head(outlook, world)
    found: list[Measured] = []
    for arm, (weight, discount) in ARMS.items():
        product = Product(
            "best_response",
            ranker=ranker,
            trained_on=10**9,  # the first ranker stays
            outlook=outlook,
            lasting_weight=weight,
            load_discount=discount,
        )
        after, _ = simulate_nights(world, product, days)
        counts: Counts = {"matches": after.matched.sum(axis=1, dtype=np.int64)}
        counts |= replace(outlook, strain=0.0).count_outcomes(after)
        counts |= {f"{name}, strained": each for name, each in outlook.count_outcomes(after).items()}
        found.append(Measured(arm, counts))
        print_gains([found[0], found[-1]], world.seed)
    return found


def print_gains(measured: Sequence[Measured], seed: int) -> None:
    """Print the figures of the last arm, with the gain over the first one and its 95 % interval over people."""
    first, last = measured[0], measured[-1]
    parts = [last.arm]
    for name, ours in last.counts.items():
        gain = compare_counts(ours, first.counts[name], seed)
        parts.append(f"{name} {ours.sum() // 2:,} {gain.estimate:+.1%} [{100 * gain.low:.1f}, {100 * gain.high:.1f}]")
    least = (last.counts["lasting"] > 0).mean()
    typer.echo(" | ".join([*parts, f"people with a lasting one {least:.3f}"]))


def print_head(outlook: Outlook, world: World) -> None:
    """Print the rank correlation of p_on with the truth over pairs who may match."""
    habits, rng = outlook.habits, np.random.default_rng(0)
    a, b = rng.choice(np.flatnonzero(world.joins == 0), (2, 20_000))
    a, b = a[a != b], b[a != b]
    ghost = habits.ghost[a] | habits.ghost[b]
    people = np.where(ghost, -np.inf, habits.responsiveness[a] + habits.responsiveness[b])
    p_on = outlook.predict(a, b)
    if p_on is None:
        typer.echo(f"no head: {outlook.refusal}")
        return
    typer.echo(
        f"head of {len(outlook.matches):,} matches: rank correlation of p_on with what both people bring "
        f"{spearmanr(p_on, people).statistic:.3f}"
    )


def main(people: int = 600, joiners: int = 0, days: int = 14, seeds: tuple[int, int] = (1, 2)) -> None:
    """Print a row for each seed and arm, then the sums over seeds."""
    total: dict[str, list[Counts]] = {}
    for seed in seeds:
        world = build_world(people, joiners, days, seed, NO_ANSWERS)
        typer.echo(f"seed {seed}")
        measured = run_arms(world, days)
        for each in measured:
            total.setdefault(each.arm, []).append(each.counts)
    typer.echo("all seeds")
    joined = [
        Measured(arm, {name: np.concatenate([each[name] for each in counts]) for name in counts[0]})
        for arm, counts in total.items()
    ]
    for each in joined:
        print_gains([joined[0], each], 0)


if __name__ == "__main__":
    typer.run(main)
