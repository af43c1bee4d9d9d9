"""How figures are measured, judged and told: each in a process of its own, a row each, beside its bar, in one table."""

import operator
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec

import typer

Figures = dict[str, float]
Row = dict[str, str | float]
Parameters = ParamSpec("Parameters")

MEASURED = "measured"
REACHED = {">=": operator.ge, ">": operator.gt, "<=": operator.le}


def apart(section: Callable[Parameters, Figures], *arguments: Parameters.args, **named: Parameters.kwargs) -> Figures:
    """The section's figures, from a new process, whose memory nobody else has used; says how long it took."""
    start = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(section, *arguments, **named).result()
    typer.echo(f"{section.__name__}: {time.perf_counter() - start:.0f} s", err=True)
    return found


def told(figures: Figures, section: str = "") -> list[Row]:
    """A row a figure, without a bar."""
    return [{"figure": f"{section}{name}", MEASURED: value, **judged(value)} for name, value in figures.items()]


def promise(what: str, measured: float, sign: str, bar: float) -> Row:
    """A row of a figure that has a bar, and whether it holds."""
    return {"figure": what, MEASURED: measured, **judged(measured, sign, bar)}


def judged(measured: float, sign: str = "", bar: float = 0.0) -> Row:
    """The last two cells of a row: the bar, and whether it is reached; blank without one."""
    if not sign:
        return {"bar": "", "": ""}
    return {"bar": f"{sign} {bar:,g}", "": "holds" if REACHED[sign](measured, bar) else "does not hold"}


def circumstances(packages: Sequence[str]) -> list[Row]:
    """The machine and the versions of what is measured."""
    versions = {"Python": platform.python_version()} | {name: version(name) for name in packages}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{os.cpu_count()} cores, {memory:.0f} GB, {_processor()}, {platform.system()}"
    said = {"machine": machine, "versions": ", ".join(f"{name} {number}" for name, number in versions.items())}
    return [{"figure": name, MEASURED: what, "bar": "", "": ""} for name, what in said.items()]


def markdown(rows: Sequence[Row]) -> str:
    """Rows as one table: the columns of all of them, blank where a row has none."""
    columns = max((list(row) for row in rows), key=len)
    lines = [columns, ["---"] * len(columns), *([text(row.get(name, "")) for name in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(value: str | float) -> str:
    """A cell: three digits, or a whole number where that has more."""
    if isinstance(value, str):
        return value
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _processor() -> str:
    """The processor's name where Linux says it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
