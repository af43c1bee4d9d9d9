"""The API beside pgbench, an empty route and the same endpoint with an ORM: rounds of them all, one after another."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil

from tests.bench import api_pgbench
from tests.bench.api_load import Measured, measure, process
from tests.bench.api_server import running

Row = dict[str, str | float]

MATCHES = "/v1/me/matches?limit=20"
# As browsers say it.
GZIP = ("Accept-Encoding: gzip, deflate, br, zstd",)

OURS, GZIPPED, ORM, EMPTY, BARE = "matches", "matches, gzip", "ORM + Pydantic", "empty route", "bare FastAPI, empty"


@dataclass(frozen=True)
class Served:
    """One route under load for a while."""

    load: Measured
    server_ms: float
    """CPU time of the server process for each answer."""
    of_pgbench: float


Round = dict[str, Served]


def speed(url: str, people: int, seconds: float, rounds: int) -> list[Row]:
    """A row a route; medians of rounds, each of which measures all of them, so that all meet the same machine."""
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "measured") as (port, server),
        running("bare", url, Path(folder) / "bare") as (bare_port, bare),
        process() as load,
    ):

        def serve(port: int, server: psutil.Process, path: str, *headers: str) -> Callable[[float], Served]:
            return lambda pgbench: _served(load, server, pgbench, port, path, people, seconds, headers)

        routes = {
            EMPTY: serve(port, server, "/empty"),
            OURS: serve(port, server, MATCHES),
            GZIPPED: serve(port, server, MATCHES, *GZIP),
            ORM: serve(port, server, "/orm/matches?limit=20"),
            BARE: serve(bare_port, bare, "/empty"),
        }
        _warm_up(routes)
        return rows([_round(url, people, seconds, routes) for _ in range(rounds)])


def _warm_up(routes: dict[str, Callable[[float], Served]]) -> None:
    for serve in routes.values():
        serve(1.0)


def _round(url: str, people: int, seconds: float, routes: dict[str, Callable[[float], Served]]) -> Round:
    pgbench = api_pgbench.per_second(url, people, seconds)
    return {name: serve(pgbench) for name, serve in routes.items()}


def _served(
    load: Executor,
    server: psutil.Process,
    pgbench: float,
    port: int,
    path: str,
    people: int,
    seconds: float,
    headers: tuple[str, ...],
) -> Served:
    before = _cpu_seconds(server)
    measured = load.submit(measure, port, path, people, seconds, headers).result()
    worked = _cpu_seconds(server) - before
    return Served(measured, 1000 * worked / measured.answers, measured.per_second / pgbench)


def _cpu_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return times.user + times.system


def rows(rounds: Sequence[Round]) -> list[Row]:
    """A row a route; every figure is the median over the rounds of what one round says."""
    return [
        {"route": name}
        | {title: median(figure(each[name], each) for each in rounds) for title, figure in FIGURES.items()}
        | {"failed": sum(each[name].load.failed for each in rounds)}
        for name in rounds[0]
    ]


FIGURES: dict[str, Callable[[Served, Round], float]] = {
    "answers/s": lambda served, _: served.load.per_second,
    "p50 ms": lambda served, _: served.load.p50,
    "p99 ms": lambda served, _: served.load.p99,
    "p99/p50": lambda served, _: served.load.p99 / served.load.p50,
    "of pgbench": lambda served, _: served.of_pgbench,
    "of the empty route": lambda served, others: served.load.per_second / others[EMPTY].load.per_second,
    "over the ORM": lambda served, others: served.load.per_second / others[ORM].load.per_second,
    "server CPU ms": lambda served, _: served.server_ms,
    "load's CPU": lambda served, _: served.load.client_cpu,
}
