"""The API under load: `python -m tests.bench.api`, from the project's folder."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.api_figures import PACKAGES, for_the_record, promises
from tests.bench.api_soak import soak
from tests.bench.api_speed import speed
from tests.bench.api_town import settled
from tests.bench.figures import Figures, Row, circumstances, markdown


@dataclass(frozen=True)
class Load:
    """People, seconds a route and round, rounds, seconds of the soak, and between its publications."""

    people: int
    seconds: float
    rounds: int
    soaked: float
    every: float


LONG = Load(60_000, 6.0, 5, 600.0, 20.0)
SHORT = Load(20_000, 2.0, 3, 60.0, 5.0)
QUICK = Load(3_000, 0.5, 3, 8.0, 2.0)


def main(
    quick: Annotated[bool, typer.Option(help="A small town, under a minute.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Measure the API against what it may be compared with, and under publications that change; say what holds."""
    load = QUICK if quick else LONG
    measured = under(load)
    table = [*circumstances(PACKAGES), *told(measured, load.every)]
    typer.echo(f"{load.people:,} people with lists of 50; one worker, 16 connections, signed in, filters on\n")
    typer.echo(markdown(table))
    if out:
        figures = {"quick": quick, **asdict(load), **measured, "table": table}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


def under(load: Load) -> dict[str, Mapping[str, Figures]]:
    """The figures of the routes by name, and of the soak."""
    with settled(load.people) as url:
        routes = speed(url, load.people, load.seconds, load.rounds)
        return {"speed": routes, "soak": {"soak": soak(url, load.people, load.soaked, load.every)}}


def told(measured: Mapping[str, Mapping[str, Figures]], every: float) -> list[Row]:
    """A row a figure."""
    routes, switched = measured["speed"], measured["soak"]["soak"]
    return [
        *promises(routes, switched),
        *for_the_record({**routes, f"soak, a new publication every {every:g} s": switched}),
    ]


if __name__ == "__main__":
    typer.run(main)
