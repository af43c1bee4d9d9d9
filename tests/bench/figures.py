"""How figures are measured, judged by their bars, and printed as tables."""

import operator
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import typer

from models.ml.arrays import Float64Array

Figures = dict[str, float]
Row = dict[str, str | float]
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[2]
MEASURED = "measured"
COMPARISONS = {">=": operator.ge, ">": operator.gt, "<=": operator.le}


def apart(work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
    """The result of work in a new process, whose peak memory is the work's own; prints how long it took."""
    start = time.perf_counter()
    with new_process() as pool:
        result = pool.submit(work, *arguments, **named).result()
    typer.echo(f"{work.__name__}: {time.perf_counter() - start:.0f} s", err=True)
    return result


def new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def clocked(work: Callable[[], Result]) -> tuple[Float64Array, Result]:
    """Elapsed and processor seconds, and the result."""
    start, worked = time.perf_counter(), time.process_time()
    result = work()
    return np.array([time.perf_counter() - start, time.process_time() - worked]), result


def peak_megabytes() -> float:
    """The most memory that this process has had; NaN where there is no /proc."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def percent_over(value: float, reference: float) -> float:
    return 100 * (value / reference - 1)


def number(row: Row, name: str) -> float:
    return float(row[name])


def promise(what: str, measured: float, sign: str, bar: float) -> Row:
    """A row of a figure that has a bar."""
    return {"figure": what, MEASURED: measured, **judged(measured, sign, bar)}


def judged(measured: float, sign: str = "", bar: float = 0.0) -> Row:
    """The last two cells of a row: the bar, and whether it holds; blank without a bar."""
    if not sign:
        return {"bar": "", "": ""}
    return {"bar": f"{sign} {bar:,g}", "": "holds" if COMPARISONS[sign](measured, bar) else "does not hold"}


def unjudged(figures: Iterable[tuple[str, str | float]]) -> list[Row]:
    return [{"figure": name, MEASURED: value, **judged(0)} for name, value in figures]


def circumstances(packages: Iterable[str], *, quick: bool) -> list[Row]:
    """What was measured, where and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    versions = {"Python": platform.python_version()} | {name: version(name) for name in packages}
    said = {
        "commit": commit or "unknown",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "run": "quick: small populations" if quick else "full",
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GB, {_processor()}, {platform.system()}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }
    return unjudged(said.items())


def _processor() -> str:
    """The processor's name where Linux says it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def markdown(rows: Sequence[Row]) -> str:
    """Rows as one table with the columns of the longest row, blank where a row has none."""
    columns = max((list(row) for row in rows), key=len)
    lines = [columns, ["---"] * len(columns), *([text(row.get(name, "")) for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(value: str | float) -> str:
    """A cell: three digits, or a whole number where that has more."""
    if isinstance(value, str):
        return value
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"
