"""The commands `matching experiment`: how long an experiment has to run, and what it says."""

from typing import Annotated

import typer
from rich.console import Console

from models.db.settings import get_settings
from pipelines.commands.groups.ready_database import open_ready_database

experiment = typer.Typer(no_args_is_help=True, help="Plan an experiment, and read its results.")
console = Console()

NameArgument = Annotated[str, typer.Argument(help="The name of an experiment of the file.", show_default=False)]


@experiment.command()
def plan(name: NameArgument) -> None:
    """Say how many nights an experiment needs.

    Past nights are drawn again and again, with the smallest effect put in, and read as the experiment would be. It
    needs two nights that have ended.
    """
    from pipelines.experiments.experiment_plan import describe_plan, plan_experiment
    from pipelines.experiments.experiment_results import find_experiment

    found = find_experiment(get_settings(), name)
    with open_ready_database() as engine, engine.connect() as connection:
        made = plan_experiment(connection, found)
    console.print(f"Simulated on {made.past_nights} past nights and {made.units:,} units.", soft_wrap=True)
    console.print(f"{name}: {describe_plan(made)}", soft_wrap=True, highlight=False)


@experiment.command()
def report(name: NameArgument) -> None:
    """Say what an experiment has shown so far, and what to do.

    The intervals hold however often you look. No figure is of fewer than 20 people. `make ui` shows the same with a
    picture: the asset experiment_report.
    """
    from pipelines.experiments import result_text
    from pipelines.experiments.experiment_results import collect_results, find_experiment

    found = find_experiment(get_settings(), name)
    with open_ready_database() as engine, engine.connect() as connection:
        results = collect_results(connection, found)
    console.print(result_text.build_table(result_text.tabulate_exposure(results)))
    console.print()
    console.print(result_text.build_table(result_text.tabulate_results(results)))
    console.print()
    for sentence in result_text.describe_doubts(results):
        console.print(sentence, soft_wrap=True, highlight=False)
    for arm in results.arms:
        console.print(result_text.describe_verdict(results, arm), soft_wrap=True, highlight=False)
