"""One table of the whole job: a row a figure, a column a town, how it grows, and which promises hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

from tests.bench.scale.figures import Figures, Row, circumstances, promise
from tests.bench.whole.job import Run

GROWING = ("scored_candidates", "match_lists", "publication")
SECONDS, MEGABYTES, GROWTH, SHARE_OF_A_DAY = 900, 6_000, 1.2, 0.25


@dataclass
class Town:
    """What was founded, each run of the job (full, again, day), and what a day changed."""

    founded: Figures
    runs: dict[str, Run]
    changed: Figures = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.founded['people']:,.0f} people"

    @property
    def full(self) -> Run:
        return self.runs["full"]


def table(towns: Sequence[Town]) -> list[Row]:
    """The rows; growth is the exponent from the smallest town to the largest, a bar is for the largest."""
    said = [_row(towns, str(each["figure"]), [each["measured"]]) for each in circumstances()]
    return said + _stages(towns) + _wholes(towns) + _later(towns)


def _stages(towns: Sequence[Town]) -> list[Row]:
    stages = towns[-1].full.stages
    return [
        _row(towns, f"{name}, s", [town.full.stages[name].seconds for town in towns], peak=stage.peak_mb)
        for name, stage in stages.items()
    ]


def _wholes(towns: Sequence[Town]) -> list[Row]:
    seconds, megabytes = [town.full.seconds for town in towns], [town.full.peak_mb for town in towns]
    growing = [sum(town.full.stages[name].seconds for name in GROWING) for town in towns]
    return [
        _row(towns, "candidates, scores, market and publication, s", growing),
        _row(towns, "whole run, processor s", [_worked(town.full) for town in towns]),
        _row(towns, "whole run, s", seconds, promised=(seconds[-1], "<=", SECONDS), peak=megabytes[-1]),
        _row(towns, "whole run, peak MB", megabytes, promised=(megabytes[-1], "<=", MEGABYTES)),
    ]


def _later(towns: Sequence[Town]) -> list[Row]:
    """Rows of the runs after the first, of the largest town only."""
    last, rows = towns[-1], []
    before: list[str | float] = [""] * (len(towns) - 1)
    for name, run in last.runs.items():
        if name == "full":
            continue
        share = run.seconds / last.full.seconds
        bar = (share, "<=", SHARE_OF_A_DAY) if name == "day" else None
        rows += [
            _row(towns, f"{name}: answers encoded", [*before, run.counts["answers_encoded"]]),
            _row(towns, f"{name}: s", [*before, run.seconds], peak=run.peak_mb),
            _row(towns, f"{name}: share of the whole run", [*before, share], promised=bar),
        ]
    return rows


def _worked(run: Run) -> float:
    return sum(stage.processor_seconds for stage in run.stages.values())


def _row(
    towns: Sequence[Town],
    figure: str,
    values: Sequence[str | float],
    promised: tuple[float, str, float] | None = None,
    peak: str | float = "",
) -> Row:
    told = dict.fromkeys((town.name for town in towns), "") | dict(
        zip((town.name for town in towns), values, strict=False)
    )
    judged = promise(figure, *promised) if promised else {"bar": "", "": ""}
    grown = {"growth": _growth(towns, values), "peak MB": peak}
    return {"figure": figure, **told, **grown, "bar": judged["bar"], "": judged[""]}


def _growth(towns: Sequence[Town], values: Sequence[str | float]) -> str:
    """n to which power, where every town has a number."""
    first, last = values[0], values[-1]
    if len(towns) < 2 or len(values) < len(towns) or isinstance(first, str) or isinstance(last, str):
        return ""
    return f"n^{exponent(towns, float(first), float(last)):.2f}"


def exponent(towns: Sequence[Town], first: float, last: float) -> float:
    """Of n, by which a figure grows from the smallest town to the largest."""
    return log(last / first) / log(towns[-1].founded["people"] / towns[0].founded["people"])
