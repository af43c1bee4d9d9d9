"""The market policies side by side: `python -m tests.bench.market`, from the project's folder."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.acceptance import acceptance
from tests.bench.beliefs import mistaken_town, noisy_town
from tests.bench.dense import large_market, published_table
from tests.bench.figures import Row, circumstances, markdown
from tests.bench.growing import growing_town
from tests.bench.published import CELLS

Sections = Mapping[str, Callable[[], list[Row]]]

PACKAGES = ("numpy", "numba", "scipy")
OURS_AND_TWO = ("product", "tuned TU", "best response")

LONG: Sections = {
    "growing": growing_town,
    "published": published_table,
    "large": large_market,
    "noisy": noisy_town,
    "mistaken": mistaken_town,
    "mistaken and noisy": lambda: mistaken_town(auc=0.65),
}
SHORT: Sections = {
    "growing": lambda: growing_town(sizes=(5_000, 20_000), names=OURS_AND_TWO),
    "published": lambda: published_table(others=()),
    "large": lambda: large_market(crowdings=(0.0, 0.5)),
    "noisy": lambda: noisy_town(people=1_000, aucs=(0.65,)),
}
QUICK: Sections = {
    "growing": lambda: growing_town(sizes=(500, 1000), names=OURS_AND_TWO),
    "published": lambda: published_table([cell for cell in CELLS if cell.receivers < 200], others=()),
    "large": lambda: large_market(receivers=200),
    "noisy": lambda: noisy_town(people=250, aucs=(0.65,)),
    "mistaken": lambda: mistaken_town(people=250, inboxes=("inv", "log2", "flat")),
}
TITLES = {
    "growing": "Sparse towns, λ = 0.5, 200 eligible people each: distinct matches; hedged: best response with q = 0.5",
    "published": "The markets of Su, Bayoumi & Joachims (WWW 2022), seed 621: expected matches",
    "large": "A large market (1,000 x 1,500; quick: 200 x 300): expected matches",
    "noisy": "Sparse town, noisy estimates: distinct matches over product, %; trusting: hedged with q = 1",
    "mistaken": "Sparse town, true against assumed inbox: distinct matches of best response over product, %",
    "mistaken and noisy": "The same with a ranker's estimates of AUC 0.65",
}


def main(
    quick: Annotated[bool, typer.Option(help="Small markets, under a minute.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Compare the market policies and say which promises hold."""
    sections = {}
    for name, section in (QUICK if quick else LONG).items():
        start = time.perf_counter()
        sections[name] = section()
        typer.echo(f"{TITLES[name]}\n\n{markdown(sections[name])}\n\n{time.perf_counter() - start:.0f} s\n")
    promises = [*circumstances(PACKAGES), *acceptance(sections)]
    typer.echo(f"What is to be reached\n\n{markdown(promises)}")
    if out:
        figures = {"quick": quick, "sections": sections, "acceptance": promises}
        out.write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
