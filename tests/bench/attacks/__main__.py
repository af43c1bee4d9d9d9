"""How much fake accounts get: `python -m tests.bench.attacks`, a table of campaigns against one population."""

from typing import Annotated

import typer

from tests.bench.attacks.campaigns import CAMPAIGNS
from tests.bench.attacks.measuring import DEPTHS, measure_cost, measure_effect
from tests.bench.attacks.night import run_night
from tests.bench.attacks.town import simulate_population


def main(
    people: Annotated[int, typer.Option(help="How many people the population has.")] = 2000,
    fakes: Annotated[int, typer.Option(help="How many fake accounts join it.")] = 50,
    seed: Annotated[int, typer.Option(help="Another seed is another population.")] = 1,
) -> None:
    """Train and make lists without and with fakes, once for each campaign."""
    population = simulate_population(people, seed)
    before = run_night(population)
    typer.echo(f"The bound on places costs {measure_cost(before):.2%} of expected matches where nobody is a fake.\n")
    typer.echo(f"| campaign | {' | '.join(DEPTHS)} | lists of a fake, at most | lists kept by victims |\n|{'---|' * 6}")
    for name, campaign in CAMPAIGNS.items():
        effect = measure_effect(population, before, campaign, fakes)
        ratios = " | ".join(f"{ratio:.2f}" for ratio in effect.ratios.values())
        kept = ", ".join(f"{share:.0%}" for share in effect.kept)
        typer.echo(f"| {name} | {ratios} | {effect.most_listed} | {kept} |")


if __name__ == "__main__":
    typer.run(main)
