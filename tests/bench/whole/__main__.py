"""The whole job at scale: `python -m tests.bench.whole`, from the project's folder."""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from models.db import embedded
from tests.bench.api_figures import markdown
from tests.bench.scale.figures import apart
from tests.bench.whole.job import job
from tests.bench.whole.people import source
from tests.bench.whole.table import Town, table
from tests.bench.whole.town import found, next_day

FULL, QUICK = (15_000, 30_000, 60_000), (3_000,)


def main(
    quick: Annotated[bool, typer.Option(help="A small town, a few minutes.")] = False,
    people: Annotated[list[int] | None, typer.Option(help="Towns of these sizes instead.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Run the whole job on towns of growing size; on the largest again, and once more after a day of changes."""
    sizes = sorted(people or (QUICK if quick else FULL))
    towns = [measured(size, living_on=size == sizes[-1]) for size in sizes]
    rows = table(towns)
    typer.echo(f"{source()}; embeddings were there\n\n{markdown(rows)}")
    if out:
        figures = {"quick": quick, "people": source(), "towns": [asdict(town) for town in towns], "table": rows}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


def measured(people: int, *, living_on: bool) -> Town:
    """A town that is founded and run; if it lives on, run again as it is, and after a day."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            town = Town(apart(found, home, people), {"full": job(home)})
            if living_on:
                town.runs["again"] = job(home)
                town.changed = apart(next_day, home, people)
                town.runs["day"] = job(home)
            return town
        finally:
            embedded.stop(home)


if __name__ == "__main__":
    typer.run(main)
