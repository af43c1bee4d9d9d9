"""The commands that compute: the pipeline, the evaluation, scores and simulated nights."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from models.db.settings import get_settings
from pipelines.commands.groups.ready_database import open_ready_database

app = typer.Typer()
console = Console()


@app.command()
def run(train: Annotated[bool, typer.Option("--train", help="Train the ranker even if not due.")] = False) -> None:
    """Run the whole pipeline.

    From the app tables to a live publication: profiles, embeddings, ranker, scores, lists, publication. The ranker is
    trained when there is none, weekly, when new decisions promise enough, and after drift. If a run is interrupted, the
    next one continues with the completed steps; the live publication stays.
    """
    from pipelines.commands.run_pipeline import run_pipeline

    with open_ready_database() as engine:
        say = partial(Console(stderr=True, highlight=False).print, soft_wrap=True)
        console.print(run_pipeline(get_settings(), engine, say, train=train))


@app.command()
def evaluate() -> None:
    """Compare the ranker with every baseline.

    On the data that the last `matching run` extracted: people held out by group, with no, little or much history.
    """
    from pipelines.commands.run_pipeline import run_job
    from pipelines.definitions import EVALUATION_JOB
    from pipelines.reports.ranker.evaluation_report import print_evaluation

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
    from pipelines.reports.market.market_report import print_comparison

    with open_ready_database():
        run_job(get_settings(), COMPARISON_JOB)
    print_comparison(get_settings(), console)


@app.command()
def policy_value(
    policies: Annotated[
        list[str] | None,
        typer.Argument(
            help="Market policies; the others are compared with the first one.",
            show_default="best_response product naive random",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV to write: every estimate of every policy.")] = None,
) -> None:
    """Judge market policies from logs.

    By what users did with the lists of the live publication. A policy is refused if the logs do not tell: too few
    opened their lists, or too much of what it would show was never shown.
    """
    from pipelines.commands.csv_output import write_csv
    from pipelines.commands.run_pipeline import run_job
    from pipelines.definitions import VALUE_JOB
    from pipelines.reports.market.policy_value_report import print_values, read_values

    with open_ready_database():
        run_job(get_settings(), VALUE_JOB, config={"policy_value": {"policies": policies}} if policies else None)
    print_values(get_settings(), console)
    if out is not None:
        write_csv(read_values(get_settings()), out)


@app.command()
def reproduce(version: Annotated[str, typer.Argument(help="A version of the ranker in MLflow.")]) -> None:
    """Train a version of the ranker again, on the same data, and compare the two.

    The data of the champion and of the last three versions is kept. With other code or other versions of the libraries,
    the result may differ.
    """
    from pipelines.commands.reproduce import reproduce_training

    found = reproduce_training(get_settings(), version)
    trained = f"version {version}, trained again on {found.profiles:,} profiles and {found.decisions:,} decisions"
    if found.different:
        console.print(f"{trained}, differs in {len(found.different)} of {found.files} files", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"{trained}, is the same in all of its {found.files} files", soft_wrap=True)


@app.command()
def score(
    pairs: Annotated[Path, typer.Argument(help="CSV with columns viewer, candidate: profile ids or source keys.")],
    out: Annotated[Path, typer.Argument(help="CSV to write: viewer, candidate, p_like, p_liked_back, p_match.")],
) -> None:
    """Score pairs of people with the champion.

    p_match is the product of both directions, without the shift that lists give all pairs.
    """
    from pipelines.commands.csv_output import write_csv
    from pipelines.commands.score_pairs import read_pairs, score_pairs
    from pipelines.definitions import build_registry
    from pipelines.resources import choose_encoder

    asked = read_pairs(pairs)
    with open_ready_database() as engine, engine.connect() as connection:
        champion = build_registry(get_settings()).get_champion()
        scores = score_pairs(connection, champion.rankers.full, asked, choose_encoder(get_settings()))
    write_csv(scores, out)
    console.print(f"{len(scores):,} pairs scored, in {out}")


@app.command()
def encoders(
    other: Annotated[str, typer.Argument(help="An encoder as MATCHING_ENCODER names it.", show_default=False)],
    seed: Annotated[int, typer.Option(help="Seed of splits and trees.")] = 0,
) -> None:
    """Compare the encoder of the settings with another one, on your own people, before you change it.

    A ranker is trained on the vectors of each, and both rank the same held-out decisions. Nothing is stored.
    """
    from pipelines.commands.compare_encoders import compare_on_people, show_comparison
    from pipelines.resources import choose_encoder

    ours = choose_encoder(get_settings())
    with open_ready_database() as engine, engine.connect() as connection:
        show_comparison(compare_on_people(connection, ours, replace(ours, setting=other), seed), console)


DataFolder = Annotated[Path, typer.Argument(help="The folder of the public data.", show_default=False)]


@app.command()
def train_flags(data: DataFolder) -> None:
    """Train the classifiers of flags.

    On public data (docs/model-card.md says which and where from), never on messages. The job message_flags uses them
    from then on; without them its rules alone flag.
    """
    from pipelines.commands.train_flags import train_flag_models
    from pipelines.definitions import FLAGS_FOLDER

    train_flag_models(data, get_settings().home / FLAGS_FOLDER, console)


@app.command()
def grade_flags(data: DataFolder) -> None:
    """Print the report card of the flags.

    The share of each function of HateCheck that the rules and the trained classifier flag.
    """
    from pipelines.commands.train_flags import print_report_card
    from pipelines.definitions import FLAGS_FOLDER

    print_report_card(data, get_settings().home / FLAGS_FOLDER, console)


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
        typer.Option(
            help="Also unweighted, p_match, p_like, als, popularity, random, lasting, load or oracle; several times."
        ),
    ] = None,
    likes: Annotated[
        Literal["secret", "told"] | None,
        typer.Option(help="Whether receivers see the likes they received.", show_default="MATCHING_LIKES"),
    ] = None,
    most_telling: Annotated[
        float, typer.Option(help="Where likes are secret: the probability with which a list may tell of one.")
    ] = 0.5,
    objective: Annotated[
        Literal["matches", "lasting", "meetings"], typer.Option(help="What arms are compared by.")
    ] = "matches",
    out: Annotated[Path | None, typer.Option(help="CSV to write: the figures of each arm and day.")] = None,
) -> None:
    """Simulate nights before they happen.

    Simulated people react to their lists day after day. Each policy and rival meets the same people with the same luck.
    It needs no database.
    """
    from models.simulation.arms.arm_registry import ArmChoice
    from pipelines.commands.simulate import show_simulation
    from pipelines.loaders.simulation.simulated_loop import LoopPlan

    choice = ArmChoice(policy or ["best_response"], rival or [], likes or get_settings().likes, most_telling, objective)
    show_simulation(LoopPlan(days, people, joiners, seed, choice), console, out)
