"""How figures are measured, told and judged: each in a process of its own, a row each, beside its bar."""

import os
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec

from tests.bench.memory import peak_megabytes

Figures = dict[str, float]
Row = dict[str, str | float]
Parameters = ParamSpec("Parameters")

PACKAGES = ("numpy", "numba", "lightgbm", "pandas", "psycopg", "pgvector")


def apart(section: Callable[Parameters, Figures], *arguments: Parameters.args, **named: Parameters.kwargs) -> Figures:
    """The section's figures and its peak MB, from a new process, whose memory nobody else has used."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(section, *arguments, **named).result()
        return found | {"peak MB": pool.submit(peak_megabytes).result()}


def told(section: str, figures: Figures) -> list[Row]:
    """A row a figure, without a bar."""
    return [{"figure": f"{section}: {name}", "measured": value, "bar": "", "": ""} for name, value in figures.items()]


def promise(what: str, measured: float, sign: str, bar: float) -> Row:
    """A row of a figure that has a bar, and whether it holds."""
    reached = measured >= bar if sign == ">=" else measured <= bar
    return {"figure": what, "measured": measured, "bar": f"{sign} {bar:g}", "": "holds" if reached else "does not hold"}


def circumstances() -> list[Row]:
    """The machine and the versions of what is measured."""
    versions = {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    said = {"machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}", "versions": listed}
    return [{"figure": name, "measured": what, "bar": "", "": ""} for name, what in said.items()]


def _processor() -> str:
    """The processor's name where Linux says it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
