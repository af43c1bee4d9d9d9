"""Candidates, scores and publication at scale: `python -m tests.bench.scale`, from the project's folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tests.bench.api_figures import markdown
from tests.bench.scale.approximate import approximate
from tests.bench.scale.figures import Figures, Row, apart, circumstances, promise, told
from tests.bench.scale.matching import BEST, RATIO, matching
from tests.bench.scale.predicting import OURS, predicting
from tests.bench.scale.publishing import SHARE, publishing
from tests.bench.scale.town import frames, trained


@dataclass(frozen=True)
class Size:
    """How much is measured: people to train on, people of the towns, viewers asked for what is kept, shards."""

    training: int
    towns: tuple[int, ...]
    asked: int
    shards: int


FULL = Size(training=3_000, towns=(15_000, 30_000, 60_000), asked=200, shards=16)
QUICK = Size(training=800, towns=(6_000,), asked=40, shards=2)


def main(
    quick: Annotated[bool, typer.Option(help="A small town, a few minutes.")] = False,
    out: Annotated[Path | None, typer.Argument(help="A file for the figures as JSON.", show_default=False)] = None,
) -> None:
    """Measure candidates and scores beside what bounds them, and say which promises hold."""
    size = QUICK if quick else FULL
    sections = measured(size)
    rows = [*circumstances(), *promises(sections)]
    for name, figures in sections.items():
        rows += told(name, figures)
    typer.echo(f"A simulated town; the ranker learned from {size.training:,} people\n\n{markdown(rows)}")
    if out:
        figures_ = {"quick": quick, "sections": sections, "table": rows}
        out.write_text(json.dumps(figures_, indent=1, ensure_ascii=False), encoding="utf-8")


def measured(size: Size) -> dict[str, Figures]:
    """Each section in a process of its own."""
    town = frames(size.training)
    ranker = trained(town)
    sections = {"predicting": apart(predicting, ranker, town)}
    for people in size.towns:
        sections[f"{people:,} people"] = apart(matching, ranker, people, size.asked, size.shards)
    for people in (size.towns[0], size.towns[-1]):
        sections[f"HNSW, {people:,} people"] = apart(approximate, ranker, people)
    return sections | {"publication": apart(publishing, size.towns[-1])}


def promises(sections: dict[str, Figures]) -> list[Row]:
    """A row a figure that has a bar."""
    largest = max((name for name in sections if RATIO in sections[name]), key=lambda name: sections[name]["people"])
    town = sections[largest]
    return [
        promise("predicting: of the fastest runtime", sections["predicting"][f"{OURS} over the fastest"], ">=", 0.8),
        promise(f"{largest}: {RATIO}", town[RATIO], "<=", 1.5),
        promise(f"{largest}: kept of the ranker's {BEST}", town[f"kept of the ranker's {BEST}"], ">=", 0.9),
        promise(f"{largest}: peak MB", town["peak MB"], "<=", 6_000),
        promise(f"publication: {SHARE}", sections["publication"][SHARE], ">=", 0.8),
    ]


if __name__ == "__main__":
    typer.run(main)
