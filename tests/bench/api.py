"""The API under load: `python -m tests.bench.api`, from the project's folder."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.bench.api_promises import Row, promises
from tests.bench.api_soak import soak
from tests.bench.api_speed import speed
from tests.bench.api_town import settled
from tests.bench.market import WIDTH, table

TITLES = {
    "speed": "One worker, 16 connections: {people:,} viewers, lists of 50, 20 asked for, signed in and filtered",
    "soak": "The same with a new publication every {every:g} s",
}


def main(
    quick: Annotated[bool, typer.Option(help="A small town, under two minutes.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Measure the API against what it may be compared with, and say which promises hold."""
    console = Console(width=WIDTH)
    people, seconds, rounds, soaked, every = (3000, 1.0, 3, 30.0, 5.0) if quick else (60_000, 6.0, 5, 600.0, 20.0)
    start = time.perf_counter()
    with settled(people) as url:
        console.print(f"A town of {people:,} people, settled in {time.perf_counter() - start:.0f} s\n")
        sections: dict[str, list[Row]] = {"speed": speed(url, people, seconds, rounds)}
        console.print(table(TITLES["speed"].format(people=people), sections["speed"]))
        sections["soak"] = soak(url, people, soaked, every)
        console.print(table(TITLES["soak"].format(every=every), sections["soak"]))
    found = promises(sections["speed"], sections["soak"])
    console.print(table("What is to be reached", found))
    if out:
        figures = {"quick": quick, "sections": sections, "acceptance": found}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
