"""All that is measured: `make bench`, or `python -m tests.bench`, from the project's folder."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import api, market
from tests.bench.figures import circumstances, unjudged
from tests.bench.page import Part, Tables, print_tables, write_page
from tests.bench.scale import table as scale
from tests.bench.scale.population import source

PACKAGES = tuple(dict.fromkeys((*scale.PACKAGES, *market.PACKAGES, *api.PACKAGES)))


def main(
    only: Annotated[list[Part] | None, typer.Option(help="These parts; else all.", show_default=False)] = None,
    quick: Annotated[bool, typer.Option(help="Small populations, about three minutes; else about thirty.")] = False,
    long: Annotated[bool, typer.Option(help="The API with 60,000 users for over ten minutes.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """The whole job at scale, the market policies and the API under load, beside what they are to reach.

    With a file for the figures, docs/benchmarks.md is written too, or a page beside the file if not all was measured.
    """
    start = time.perf_counter()
    parts = only or list(Part)
    tables: Tables = {"circumstances": circumstances(PACKAGES, quick=quick)}
    tables["circumstances"] += unjudged([("profiles", source())])
    figures: dict[str, object] = {"quick": quick, "people": source()}
    if Part.SCALE in parts:
        towns = scale.measured(scale.QUICK if quick else scale.FULL)
        tables["scale"], figures["job"] = scale.table(towns), [asdict(town) for town in towns]
    if Part.MARKET in parts:
        sections = {name: section() for name, section in (market.QUICK if quick else market.SHORT).items()}
        tables["market"], figures["market"] = market.acceptance(sections), sections
    if Part.API in parts:
        load = api.QUICK if quick else api.LONG if long else api.SHORT
        served = api.under(load)
        tables["api"], figures["api"] = api.rows(served, load.every), served
    tables["circumstances"] += unjudged([("minutes in all", (time.perf_counter() - start) / 60)])
    typer.echo(print_tables(tables))
    if out:
        out.write_text(json.dumps({**figures, "tables": tables}, indent=1, ensure_ascii=False), encoding="utf-8")
        typer.echo(f"\nwritten: {out}, {write_page(tables, out, full=not quick and not only)}")


if __name__ == "__main__":
    typer.run(main)
