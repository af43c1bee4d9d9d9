"""What the API is to reach under load, and whether it does."""

import math
from collections.abc import Sequence

from tests.bench.api_speed import OURS

Row = dict[str, str | float]


def promises(speed: Sequence[Row], soak: Sequence[Row]) -> list[Row]:
    """A row a promise: what, the figure, and "holds" or "does not hold"."""
    routes, (soaked,) = {row["route"]: row for row in speed}, soak
    ours = routes[OURS]
    return [
        _promise("over the ORM, >= 4", ours["over the ORM"], least=4),
        _promise("of the empty route, >= 0.3", ours["of the empty route"], least=0.3),
        _promise("of pgbench, >= 0.10", ours["of pgbench"], least=0.10),
        _promise("of pgbench, aim: >= 0.13", ours["of pgbench"], least=0.13),
        _promise("p99 over p50, <= 6", ours["p99/p50"], most=6),
        _promise("answers that were not 200, of all routes", sum(float(row["failed"]) for row in speed), most=0),
        _promise("switches: errors", soaked["errors"], most=0),
        _promise("switches: pages of two publications", soaked["mixed pages"], most=0),
        _promise("switches: memory grown since the first fifth, %, <= 5", soaked["grown %"], most=5),
    ]


def _promise(what: str, figure: str | float, least: float = -math.inf, most: float = math.inf) -> Row:
    return {"promise": what, "figure": figure, "": "holds" if least <= float(figure) <= most else "does not hold"}
