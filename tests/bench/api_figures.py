"""What the API is to reach under load, and whether it does."""

from collections.abc import Mapping

from tests.bench.api_speed import EMPTY, LIKES, ORM, OURS, PGBENCH
from tests.bench.figures import MEASURED, Figures, Row, promise, text

PACKAGES = ("fastapi", "uvicorn", "uvloop", "psycopg", "pydantic", "sqlalchemy")


def promises(speed: Mapping[str, Figures], soak: Figures) -> list[Row]:
    """A row a promise: what, the figure, the bar, and "holds" or "does not hold"."""
    ours = speed[OURS]
    return [
        promise("matches: times the ORM's answers/s", ours[f"of {ORM}"], ">=", 4),
        promise("matches: of the empty route's answers/s", ours[f"of {EMPTY}"], ">=", 0.3),
        promise("matches: of pgbench's transactions/s", ours[f"of {PGBENCH}"], ">=", 0.10),
        promise("the same, aim", ours[f"of {PGBENCH}"], ">=", 0.13),
        promise("likes: of the answers/s of matches", speed[LIKES][f"of {OURS}"], ">=", 0.8),
        promise("matches: p99 over p50, 16 connections", ours["p99/p50"], "<=", 6),
        promise("soak: answers that were not 200", soak["errors"], "<=", 0),
        promise("soak: pages that mixed two publications", soak["mixed pages"], "<=", 0),
        promise("soak: empty lists", soak["empty lists"], "<=", 0),
        promise("soak: memory grown since the first fifth, %", soak["grown %"], "<=", 5),
    ]


def for_the_record(figures: Mapping[str, Figures]) -> list[Row]:
    """The other figures, a row a route."""
    return [{"figure": name, MEASURED: _listed(each), "bar": "", "": ""} for name, each in figures.items()]


def _listed(figures: Figures) -> str:
    return "; ".join(f"{title} {text(value)}" for title, value in figures.items() if not title.startswith("of "))
