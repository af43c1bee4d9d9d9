"""The commands that load people: simulated ones, speed dating, OkCupid and ChitChat."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.db.settings import get_settings
from pipelines.commands.groups.ready_database import open_ready_database
from pipelines.loaders.records import LoadReport

load = typer.Typer(
    no_args_is_help=True, help="Load people into the app tables. Loading the same source again changes nothing."
)
console = Console()

CsvFile = Annotated[Path, typer.Argument(help="The file of the source.", show_default=False)]


@load.command()
def simulated(
    people: Annotated[int, typer.Option(help="Number of people.")] = 2000,
    seed: Annotated[int, typer.Option(help="Each seed gives another population.")] = 1,
    days_after: Annotated[
        int, typer.Option(help="Days that it lives on: likes received are looked through, conversations go on.")
    ] = 0,
) -> None:
    """Load a simulated population.

    Profiles, likes and passes are drawn from a documented choice model, and conversations between people who like
    each other from another.
    """
    from pipelines.loaders.simulation import simulated_loader as loader

    with open_ready_database() as engine:
        _print_report(loader.load_simulated(engine, people, seed, get_settings().home, days_after))


@load.command()
def speed_dating(file: CsvFile) -> None:
    """Load the Columbia experiment.

    The speed dating of Fisman, Iyengar, Kamenica and Simonson, 2002 to 2004: the public CSV file, or a part of it.
    """
    from pipelines.loaders.speed_dating import speed_dating as loader

    with open_ready_database() as engine:
        _print_report(loader.load_speed_dating(engine, file))


@load.command()
def okcupid(file: CsvFile) -> None:
    """Load the revised OkCupid profiles.

    Kim and Escobedo-Land, JSE 2015, as .zip or .csv. Profiles only, without likes and passes.
    """
    from pipelines.loaders import okcupid as loader

    with open_ready_database() as engine:
        _print_report(loader.load_okcupid(engine, file))


@load.command()
def chitchat() -> None:
    """Load the conversations of ChitChat.

    The Chit Chat Challenge, from the installed package chitchat-dataset: who wrote when and how much, and no text.
    """
    from pipelines.loaders.conversations import chitchat as loader

    with open_ready_database() as engine:
        _print_report(loader.load_chitchat(engine))


def _print_report(report: LoadReport) -> None:
    table = Table("", "new", "changed", "unchanged", box=None)
    for name in ("profiles", "interactions"):
        counts = (getattr(report, f"{name}_{what}") for what in ("added", "changed", "unchanged"))
        table.add_row(name, *(f"{count:,}" for count in counts))
    for name, rows in report.conversations.items():
        table.add_row(name, *(f"{count:,}" for count in rows))
    console.print(table)
    for reason, count in report.refused.most_common():
        console.print(f"refused {count:,}: {reason}")
    if report.no_answers:
        columns = ", ".join(f"{column} {count:,}" for column, count in report.no_answers.most_common())
        console.print(f"no answer, such as NA, in {report.no_answers.total():,} cells: {columns}")
    for note in report.notes:
        console.print(f"note: {note}")
