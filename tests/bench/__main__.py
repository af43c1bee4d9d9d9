"""All that is measured, in one table: `make bench`, or `python -m tests.bench`, from the project's folder."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import api, api_figures, market
from tests.bench.acceptance import acceptance
from tests.bench.figures import MEASURED, Row, circumstances, markdown
from tests.bench.scale import measuring
from tests.bench.scale.people import source
from tests.bench.scale.table import table

PACKAGES = tuple(dict.fromkeys((*measuring.PACKAGES, *market.PACKAGES, *api_figures.PACKAGES)))


def main(
    quick: Annotated[bool, typer.Option(help="Small towns, about three minutes; else about thirty.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """The whole job at scale, the market policies and the API under load, beside what they are to reach.

    The market policies and the API by themselves, at length: `python -m tests.bench.market` and `tests.bench.api`.
    """
    start = time.perf_counter()
    towns = measuring.measured(measuring.QUICK if quick else measuring.FULL)
    sections = {name: section() for name, section in (market.QUICK if quick else market.SHORT).items()}
    load = api.QUICK if quick else api.SHORT
    served = api.under(load)
    rows: list[Row] = [
        *circumstances(PACKAGES),
        *table(towns),
        *_of("market", acceptance(sections)),
        *_of("API", api.told(served, load.every)),
        {"figure": "minutes in all", MEASURED: (time.perf_counter() - start) / 60},
    ]
    typer.echo(f"The job: {source()}; embeddings were there\n\n{markdown(rows)}")
    if out:
        found = {"job": [asdict(town) for town in towns], "market": sections, "api": served}
        figures = {"quick": quick, "people": source(), **found, "table": rows}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


def _of(what: str, rows: list[Row]) -> list[Row]:
    return [row | {"figure": f"{what}: {row['figure']}"} for row in rows]


if __name__ == "__main__":
    typer.run(main)
