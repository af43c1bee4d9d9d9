"""How much fake accounts get: `python -m tests.bench.attacks`, a table of campaigns against one population."""

from typing import Annotated

import typer

from tests.bench.attacks.campaigns import CAMPAIGNS, simulate_population
from tests.bench.attacks.night import measure_cost, measure_effect, run_night
from tests.bench.figures import Row, markdown


def main(
    people: Annotated[int, typer.Option(help="Users of the population.")] = 2000,
    fakes: Annotated[int, typer.Option(help="Fake accounts that join it.")] = 50,
    seed: Annotated[int, typer.Option(help="Another seed is another population.")] = 1,
) -> None:
    """Train and make lists without fakes, then with those of each campaign."""
    population = simulate_population(people, seed)
    before = run_night(population)
    typer.echo(f"The bound on exposure costs {measure_cost(before):.2%} of expected matches without fakes.\n")
    rows: list[Row] = []
    for name, campaign in CAMPAIGNS.items():
        effect = measure_effect(population, before, campaign, fakes)
        kept = ", ".join(f"{share:.0%}" for share in effect.kept)
        lists: Row = {"lists of a fake, at most": effect.most_listed, "lists kept by victims": kept}
        rows.append({"campaign": name, **effect.ratios, **lists})
    typer.echo(markdown(rows))


if __name__ == "__main__":
    typer.run(main)
