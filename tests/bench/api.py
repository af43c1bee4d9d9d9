"""The API under load: `python -m tests.bench.api`, from the project's folder."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.api_figures import circumstances, for_the_record, markdown, promises
from tests.bench.api_soak import soak
from tests.bench.api_speed import speed
from tests.bench.api_town import settled


def main(
    quick: Annotated[bool, typer.Option(help="A small town, under a minute.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Measure the API against what it may be compared with, and under publications that change; say what holds."""
    people, seconds, rounds, soaked, every = (3000, 1.0, 3, 10.0, 2.0) if quick else (60_000, 6.0, 5, 600.0, 20.0)
    with settled(people) as url:
        rows = circumstances(url)
        routes = speed(url, people, seconds, rounds)
        switched = soak(url, people, soaked, every)
    rows += promises(routes, switched)
    rows += for_the_record(routes | {f"soak, a new publication every {every:g} s": switched})
    typer.echo(f"{people:,} people with lists of 50; one worker, 16 connections, signed in, filters on\n")
    typer.echo(markdown(rows))
    if out:
        figures = {"quick": quick, "people": people, "speed": routes, "soak": switched, "table": rows}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
