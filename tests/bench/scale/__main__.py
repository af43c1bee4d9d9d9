"""The whole job at scale: `python -m tests.bench.scale`, from the project's folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.figures import circumstances, markdown
from tests.bench.scale.measuring import FULL, PACKAGES, QUICK, measured
from tests.bench.scale.people import source
from tests.bench.scale.table import table


def main(
    quick: Annotated[bool, typer.Option(help="A small town, a few minutes.")] = False,
    people: Annotated[list[int] | None, typer.Option(help="Towns of these sizes.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Run the whole job on towns of growing size; on the largest once more, after a day of changes."""
    towns = measured(sorted(people) if people else QUICK if quick else FULL)
    rows = [*circumstances(PACKAGES), *table(towns)]
    typer.echo(f"{source()}; embeddings were there\n\n{markdown(rows)}")
    if out:
        figures = {"quick": quick, "people": source(), "towns": [asdict(town) for town in towns], "table": rows}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
