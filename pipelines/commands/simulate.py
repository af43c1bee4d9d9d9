"""Simulate nights with several arms, and print what each brings."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.db.errors import InputError
from pipelines.commands.csv_output import write_csv
from pipelines.loaders.simulation.simulated_loop import LoopPlan, open_world, simulate_loop
from pipelines.reports.loop_plots import label_arm
from pipelines.reports.loop_report import build_loop_table


def show_simulation(plan: LoopPlan, console: Console, out: Path | None = None) -> None:
    """Simulate the nights of a plan, print a row an arm, and write the figures of each day as CSV.

    Args:
        plan: What to simulate.
        console: Shows the table.
        out: The CSV file to write; None for none.

    Raises:
        InputError: The plan is out of range, a package is missing, or the file cannot be written.
    """
    plan.check()
    if out is not None and not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}")
    world = open_world(plan)  # has progress bars of its own
    arms, errors = len(plan.choice.policies) + len(plan.choice.rivals), Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("training the first ranker", total=arms * plan.days)

        def show_day(arm: str, day: int) -> None:
            progress.update(task, advance=1, description=f"{label_arm(arm)}: day {day + 1} done")

        figures = simulate_loop(plan, show_day, world)
    if out is not None:
        write_csv(figures, out)
    how = "likes are secret" if plan.choice.likes == "secret" else "receivers see the likes they received"
    console.print(f"Days: {plan.days}; people: {plan.people:,}, and {plan.joiners} more each day; {how}.\n")
    console.print(build_loop_table(figures))
    console.print("\nIntervals (95 %) are over people.")
