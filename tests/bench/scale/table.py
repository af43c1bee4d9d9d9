"""One table of the whole job: a row a figure, a column a town, how it grows, and which promises hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log

from tests.bench.figures import MEASURED, Figures, Row, judged
from tests.bench.scale import encoding, matching, predicting, publishing
from tests.bench.scale.job import Run

GROWING = ("scored_candidates", "match_lists", "publication")
BUT_PRODUCT = "candidates, scores, market and publication but the bare product, s"
RUN, PEAK, OF_FULL = "full run, s", "full run, peak MB", "day: share of the full run"

BARS = {
    RUN: ("<=", 900.0),
    PEAK: ("<=", 6_000.0),
    OF_FULL: ("<=", 0.25),
    encoding.SHARE: (">=", 0.9),
    matching.RATIO: ("<=", 1.5),
    matching.KEPT: (">=", 0.9),
    predicting.SHARE: (">=", 0.8),
    publishing.STORING: (">=", 0.8),
    publishing.SHARE: (">=", 0.8),
}
EXPONENT = 1.2  # the most that BUT_PRODUCT may have


@dataclass
class Town:
    """What was founded, each run of the job (full, day), what a day changed, and what bounds the stages."""

    founded: Figures
    runs: dict[str, Run]
    bounds: Figures = field(default_factory=dict)
    changed: Figures = field(default_factory=dict)


def table(towns: Sequence[Town]) -> list[Row]:
    """The rows, of towns from small to large; growth is an exponent of n, and bars are for the largest town."""
    found = [figures(town) for town in towns]
    peaks = {f"{name}, s": stage.peak_mb for name, stage in towns[-1].runs["full"].stages.items()}
    return [_row(name, found, peaks.get(name, "")) for name in found[-1]]


def figures(town: Town) -> Figures:
    """A number a row of the table."""
    full, bounds = town.runs["full"], dict(town.bounds)
    product = bounds[matching.PRODUCT] / bounds.pop(matching.OF_SHARDS)
    return {
        **town.founded,
        **{f"{name}, s": stage.seconds for name, stage in full.stages.items()},
        BUT_PRODUCT: sum(full.stages[name].seconds for name in GROWING) - product,
        RUN: full.seconds,
        "full run, processor s": full.processor_seconds,
        PEAK: full.peak_mb,
        **bounds,
        **{f"day: {name}": count for name, count in town.changed.items()},
        **{name: number for run in town.runs if run != "full" for name, number in _later(town, run).items()},
    }


def _later(town: Town, name: str) -> Figures:
    """Of a run after the first."""
    run, full = town.runs[name], town.runs["full"]
    return {
        **{f"{name}: {stage}, s": took.seconds for stage, took in run.stages.items()},
        f"{name}: answers encoded": run.counts["answers_encoded"],
        f"{name}: whole run, s": run.seconds,
        f"{name}: peak MB": run.peak_mb,
        f"{name}: share of the full run": run.seconds / full.seconds,
        f"{name}: share of one that encodes every answer": run.seconds / (full.seconds + _encoding(town)),
        f"{name}: the same, processor time": run.processor_seconds / full.processor_seconds,
    }


def _encoding(town: Town) -> float:
    """Seconds that all answers take at the measured rate, which the full run is spared."""
    return town.founded["answers"] / town.bounds[encoding.RATE]


def _row(name: str, found: Sequence[Figures], peak: float | str) -> Row:
    smaller = {f"{each['people']:,.0f} people": each.get(name, "") for each in found[:-1]}
    grown = exponent(name, found)
    row = {"figure": name, **smaller, MEASURED: found[-1][name], "growth": "" if grown is None else f"n^{grown:.2f}"}
    if name == BUT_PRODUCT and grown is not None:
        verdict = judged(grown, "<=", EXPONENT) | {"bar": f"<= n^{EXPONENT}"}
    else:
        verdict = judged(found[-1][name], *BARS.get(name, ()))
    return {**row, "peak MB": peak, **verdict}


def exponent(name: str, found: Sequence[Figures]) -> float | None:
    """Of n, by which seconds or MB grow from the smallest town to the largest."""
    first, last = found[0], found[-1]
    if first is last or name not in first or not name.endswith((", s", " MB")):
        return None
    return log(last[name] / first[name]) / log(last["people"] / first["people"])
