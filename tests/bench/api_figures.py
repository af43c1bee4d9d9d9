"""What the API is to reach under load, whether it does, and the table that says so."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psycopg

from models.db.engines import libpq_url
from tests.bench.api_speed import EMPTY, ORM, OURS, PGBENCH, Figures

Row = dict[str, str | float]

PACKAGES = ("fastapi", "uvicorn", "uvloop", "psycopg", "pydantic", "sqlalchemy")


def promises(speed: Mapping[str, Figures], soak: Figures) -> list[Row]:
    """A row a promise: what, the figure, the bar, and "holds" or "does not hold"."""
    ours = speed[OURS]
    return [
        _promise("matches: times the ORM's answers/s", ours[f"of {ORM}"], ">=", 4),
        _promise("matches: of the empty route's answers/s", ours[f"of {EMPTY}"], ">=", 0.3),
        _promise("matches: of pgbench's transactions/s", ours[f"of {PGBENCH}"], ">=", 0.10),
        _promise("the same, aim", ours[f"of {PGBENCH}"], ">=", 0.13),
        _promise("matches: p99 over p50, 16 connections", ours["p99/p50"], "<=", 6),
        _promise("soak: answers that were not 200", soak["errors"], "<=", 0),
        _promise("soak: pages that mixed two publications", soak["mixed pages"], "<=", 0),
        _promise("soak: empty lists", soak["empty lists"], "<=", 0),
        _promise("soak: memory grown since the first fifth, %", soak["grown %"], "<=", 5),
    ]


def _promise(what: str, figure: float, sign: str, bar: float) -> Row:
    reached = figure >= bar if sign == ">=" else figure <= bar
    return {"figure": what, "measured": figure, "bar": f"{sign} {bar:g}", "": "holds" if reached else "does not hold"}


def for_the_record(figures: Mapping[str, Figures]) -> list[Row]:
    """The other figures, a row a route."""
    return [{"figure": name, "measured": _listed(each), "bar": "", "": ""} for name, each in figures.items()]


def _listed(figures: Figures) -> str:
    return "; ".join(f"{title} {_text(value)}" for title, value in figures.items() if not title.startswith("of "))


def circumstances(url: str) -> list[Row]:
    """The machine and the versions of what is measured."""
    with psycopg.connect(libpq_url(url)) as connection:
        postgresql = connection.info.parameter_status("server_version")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    versions = f"Python {platform.python_version()}, PostgreSQL {postgresql}, {packages}"
    said = {"machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}", "versions": versions}
    return [{"figure": name, "measured": what, "bar": "", "": ""} for name, what in said.items()]


def _processor() -> str:
    """The processor's name where Linux says it."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def markdown(rows: list[Row]) -> str:
    """Rows with the same columns, as a table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.3g}" if abs(value) < 10 else f"{value:,.0f}"
