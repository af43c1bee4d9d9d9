"""The command line, `matching`."""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from models.db import embedded, erasure
from models.db import publications as published
from models.db.engines import open_database, resolve_database_url
from models.db.errors import MatchingError
from models.db.schema.migrations import upgrade_database
from models.db.settings import Settings, get_settings
from models.db.tokens import issue_token
from pipelines.loaders.records import LoadReport
from pipelines.processes import ports

USAGE_ERROR = 2

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The matching backend of Delete: load people, run the pipeline, list and undo publications.",
)
load = typer.Typer(
    no_args_is_help=True, help="Load people into the app tables. Loading the same source again changes nothing."
)
app.add_typer(load, name="load")
console = Console()

CsvFile = Annotated[Path, typer.Argument(help="The file of the source.", show_default=False)]
PersonArgument = Annotated[str, typer.Argument(help="A profile id or source key.", show_default=False)]


@contextmanager
def open_ready_database() -> Iterator[Engine]:
    """Yield an engine on a database with the current tables.

    The embedded database is migrated. DATABASE_URL is not; `matching migrate` does that.
    """
    here: Settings = get_settings()
    if here.database_url is None:
        upgrade_database(resolve_database_url(here))
    with open_database(here) as engine:
        yield engine


@load.command()
def simulated(
    people: Annotated[int, typer.Option(help="Number of people.")] = 2000,
    seed: Annotated[int, typer.Option(help="Each seed gives another population.")] = 1,
) -> None:
    """Load a simulated population.

    Profiles, likes and passes are drawn from a documented choice model.
    """
    from pipelines.loaders.simulation import simulated_loader as loader

    with open_ready_database() as engine:
        _print_report(loader.load_simulated(engine, people, seed, get_settings().home))


@load.command()
def speed_dating(file: CsvFile) -> None:
    """Load the Columbia experiment.

    The speed dating of Fisman, Iyengar, Kamenica and Simonson, 2002 to 2004: the public CSV file, or a part of it.
    """
    from pipelines.loaders import speed_dating as loader

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


@app.command()
def run(train: Annotated[bool, typer.Option("--train", help="Train the ranker even if not due.")] = False) -> None:
    """Run the whole pipeline.

    From the app tables to a live publication: profiles, embeddings, ranker, scores, lists, publication. The ranker is
    trained when there is none, weekly, and when people or decisions have changed by 5 %. If a run is interrupted, the
    next one continues with the completed steps; the live publication stays.
    """
    from pipelines.commands.run_pipeline import run_pipeline

    with open_ready_database() as engine:
        run_pipeline(get_settings(), engine, Console(stderr=True, highlight=False).print, train=train)


@app.command()
def evaluate() -> None:
    """Compare the ranker with every baseline.

    On the data that the last `matching run` extracted: people held out by group, with no, little or much history.
    """
    from pipelines.commands.run_pipeline import run_job
    from pipelines.definitions import EVALUATION_JOB
    from pipelines.reports.evaluation_report import print_evaluation

    with open_ready_database():
        run_job(get_settings(), EVALUATION_JOB)
    print_evaluation(get_settings(), console)


@app.command()
def compare_policies() -> None:
    """Compare what each market policy would bring.

    Uses the candidates that the last `matching run` scored. `make ui` shows the table and pictures of the asset
    policy_comparison.
    """
    from pipelines.commands.run_pipeline import run_job
    from pipelines.definitions import COMPARISON_JOB
    from pipelines.reports.market_report import print_comparison

    with open_ready_database():
        run_job(get_settings(), COMPARISON_JOB)
    print_comparison(get_settings(), console)


@app.command()
def score(
    pairs: Annotated[Path, typer.Argument(help="CSV with columns viewer, candidate: profile ids or source keys.")],
    out: Annotated[Path, typer.Argument(help="CSV to write: viewer, candidate, p_like, p_liked_back, p_match.")],
) -> None:
    """Score pairs of people with the champion."""
    from pipelines.commands.csv_output import write_csv
    from pipelines.commands.score_pairs import read_pairs, score_pairs
    from pipelines.definitions import build_registry

    asked = read_pairs(pairs)
    with open_ready_database() as engine, engine.connect() as connection:
        scores = score_pairs(connection, build_registry(get_settings()).get_champion().rankers.full, asked)
    write_csv(scores, out)
    console.print(f"{len(scores):,} pairs scored, in {out}")


@app.command()
def simulate(
    days: Annotated[int, typer.Option(help="Number of days.")] = 14,
    people: Annotated[int, typer.Option(help="Number of people on the first day.")] = 1000,
    joiners: Annotated[int, typer.Option(help="Number of people who join on each later day.")] = 20,
    seed: Annotated[int, typer.Option(help="Each seed gives other people and other luck.")] = 1,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="A market policy. Give it several times to compare; the first is what others are compared with.",
            show_default="best_response",
        ),
    ] = None,
    rival: Annotated[
        list[str] | None,
        typer.Option(help="Also unweighted, p_match, p_like, als, popularity, random or oracle; several times."),
    ] = None,
    likes: Annotated[
        Literal["secret", "told"] | None,
        typer.Option(help="Whether receivers see the likes they received.", show_default="MATCHING_LIKES"),
    ] = None,
    most_telling: Annotated[
        float, typer.Option(help="Where likes are secret: the probability with which a list may tell of one.")
    ] = 0.5,
    out: Annotated[Path | None, typer.Option(help="CSV to write: the figures of each arm and day.")] = None,
) -> None:
    """Simulate nights before they happen.

    Simulated people react to their lists day after day. Each policy and rival meets the same people with the same luck.
    It needs no database.
    """
    from models.simulation.arm_registry import ArmChoice
    from pipelines.commands.simulate import show_simulation
    from pipelines.loaders.simulation.simulated_loop import LoopPlan

    choice = ArmChoice(policy or ["best_response"], rival or [], likes or get_settings().likes, most_telling)
    show_simulation(LoopPlan(days, people, joiners, seed, choice), console, out)


@app.command()
def publications() -> None:
    """List the publications, newest first."""
    table = Table("id", "state", "ranker", "viewers", "pairs", "made", "lists kept", box=None)
    with open_ready_database() as engine, engine.connect() as connection:
        for each in published.list_publications(connection):
            made = f"{each.created_at:%Y-%m-%d %H:%M}"
            counts = f"{each.viewer_count:,}", f"{each.pair_count:,}"
            table.add_row(str(each.id), each.state, each.ranker_version, *counts, made, "yes" if each.kept else "no")
    console.print(table if table.row_count else "no publication yet; make one with `matching run`")


@app.command()
def rollback() -> None:
    """Return to the previous publication.

    Readers see it at once. The one that was live never becomes live again.
    """
    with open_ready_database() as engine:
        console.print(f"publication {published.roll_back(engine).id} is live again")


@app.command()
def erase(who: PersonArgument) -> None:
    """Erase a person everywhere.

    The profile, likes and passes, blocks, impressions, vectors, positions in all lists, and rows in the frames kept
    between steps.
    If it fails, run it again. Rows that a current run still writes are removed when that run ends.
    """
    from pipelines.store.store_erasure import erase_from_store

    with open_ready_database() as engine:
        with engine.connect() as connection:
            profile_id = erasure.find_profile(connection, who)
        # The files first: while the profile is in the database, a failed erasure can be repeated.
        files = erase_from_store(get_settings(), profile_id)
        with engine.begin() as connection:
            erased = erasure.erase_profile(connection, profile_id)
        # Again: a run that ended in between found no erased profile and kept its rows.
        files += erase_from_store(get_settings(), profile_id)
    console.print(
        f"erased: {erased.interactions} likes and passes, {erased.blocks} blocks, {erased.embeddings} vectors, "
        f"{erased.lists} lists, {erased.places} positions in the lists of others, {erased.withheld} entries in what is "
        f"withheld from others, {erased.likes} in the pending likes of others, {erased.views} impressions, "
        f"rows in {files} files"
    )


@app.command()
def token(
    who: PersonArgument,
    hours: Annotated[float, typer.Option(help="Hours until it expires.", min=0.01, max=24 * 366)] = 24,
) -> None:
    """Print a token for the API.

    The API treats its bearer as this person. For development: in production the app's sign-in issues tokens.
    """
    with open_ready_database() as engine, engine.connect() as connection:
        profile_id = UUID(erasure.find_profile(connection, who))
    typer.echo(issue_token(get_settings(), profile_id, timedelta(hours=hours)))


@app.command()
def migrate() -> None:
    """Migrate DATABASE_URL to the current tables.

    The embedded database is migrated by every command that uses it.
    """
    with open_database(get_settings()) as engine:
        upgrade_database(engine.url.render_as_string(hide_password=False))


@app.command()
def demo() -> None:
    """Show everything on a simulated population.

    Loads 2,000 people, runs the pipeline, and shows one person's matches from the API.
    """
    from pipelines.commands.demo import show_demo

    with open_ready_database() as engine:
        show_demo(engine, get_settings(), console)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="The port of Dagster.")] = ports.DAGSTER_PORT,
    mlflow_port: Annotated[int, typer.Option(help="The port of MLflow.")] = ports.MLFLOW_PORT,
) -> None:
    """Open Dagster and MLflow.

    One instance of each per home. Ctrl-C closes both.
    """
    from pipelines.commands.ui import run_interfaces

    with open_ready_database():
        run_interfaces(get_settings(), console, port, mlflow_port)


@app.command()
def serve(port: Annotated[int, typer.Option(help="The port of the API.")] = ports.API_PORT) -> None:
    """Serve the API on this machine.

    Its documentation is at /docs. Ctrl-C stops it.
    """
    from pipelines.commands.servers import serve_api

    serve_api(port)


@app.command()
def notebooks(port: Annotated[int, typer.Option(help="The port of JupyterLab.")] = ports.NOTEBOOKS_PORT) -> None:
    """Open the notebooks in JupyterLab.

    `make notebooks` installs it. Ctrl-C stops it.
    """
    from pipelines.commands.servers import serve_notebooks

    serve_notebooks(get_settings(), port)


@app.command()
def example(port: Annotated[int, typer.Option(help="The port of the app.")] = ports.EXAMPLE_PORT) -> None:
    """Open the example app of the API.

    `make example` installs its packages. It needs the API from `make serve`. Ctrl-C stops it.
    """
    from pipelines.commands.servers import serve_example

    serve_example(port)


@app.command()
def stop() -> None:
    """Stop the embedded database."""
    stopped = embedded.stop(get_settings().home)
    console.print("stopped the embedded database" if stopped else "the embedded database was not running")


def _print_report(report: LoadReport) -> None:
    table = Table("", "new", "changed", "unchanged", box=None)
    for name in ("profiles", "interactions"):
        counts = (getattr(report, f"{name}_{what}") for what in ("added", "changed", "unchanged"))
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)
    for reason, count in report.refused.most_common():
        console.print(f"refused {count:,}: {reason}")
    if report.no_answers:
        columns = ", ".join(f"{column} {count:,}" for column, count in report.no_answers.most_common())
        console.print(f"no answer, such as NA, in {report.no_answers.total():,} cells: {columns}")
    for note in report.notes:
        console.print(f"note: {note}")


def main() -> None:
    """Run the command. An error that the user can fix becomes one line and exit status 2."""
    # Collecting garbage among the many objects of the imports would slow down starting and exiting.
    gc.set_threshold(20_000, 20, 100)
    atexit.register(gc.freeze)
    try:
        app()
    except MatchingError as error:
        _exit_with_error(str(error))
    except OSError as error:
        _exit_with_error(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def _exit_with_error(message: str) -> None:
    Console(stderr=True).print(
        f"matching: {' '.join(message.split())}", style="red", highlight=False, markup=False, soft_wrap=True
    )
    sys.exit(USAGE_ERROR)
