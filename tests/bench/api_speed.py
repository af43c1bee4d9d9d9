"""The API beside pgbench, an empty route and the same endpoint with an ORM: rounds of them all, one after another."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from tests.bench import api_pgbench
from tests.bench.api_load import measure, process
from tests.bench.api_server import running
from tests.bench.figures import Figures

MATCHES, LIKES_RECEIVED = "/v1/me/matches?limit=20", "/v1/me/likes?limit=20"
AS_BROWSERS_ASK = ("Accept-Encoding: gzip, deflate, br, zstd",)

OURS, GZIPPED, ORM = "matches", "matches, gzip", "matches by an ORM and Pydantic"
LIKES = "likes"
EMPTY, BARE, PGBENCH = "empty route", "bare FastAPI, empty route", "pgbench of the statement"


class Route(NamedTuple):
    """What one server is asked for."""

    port: int
    server: psutil.Process
    path: str
    headers: tuple[str, ...] = ()


def speed(url: str, people: int, seconds: float, rounds: int) -> dict[str, Figures]:
    """Figures by route: medians over rounds, each of which measures all of them, so that all meet the same machine."""
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "measured") as measured,
        running("bare", url, Path(folder) / "bare") as bare,
        process() as load,
    ):
        routes = {
            EMPTY: Route(*measured, "/empty"),
            OURS: Route(*measured, MATCHES),
            GZIPPED: Route(*measured, MATCHES, AS_BROWSERS_ASK),
            LIKES: Route(*measured, LIKES_RECEIVED),
            ORM: Route(*measured, "/orm/matches?limit=20"),
            BARE: Route(*bare, "/empty"),
        }
        for route in routes.values():
            _asked(load, route, people, 1.0)  # warm
        return medians([_round(load, routes, url, people, seconds) for _ in range(rounds)])


def _round(load: Executor, routes: Mapping[str, Route], url: str, people: int, seconds: float) -> dict[str, Figures]:
    found = {PGBENCH: {"answers/s": api_pgbench.per_second(url, people, seconds)}}
    return found | {name: _asked(load, route, people, seconds) for name, route in routes.items()}


def _asked(load: Executor, route: Route, people: int, seconds: float) -> Figures:
    before = _cpu_seconds(route.server)
    seen = load.submit(measure, route.port, route.path, people, seconds, route.headers).result()
    return {
        "answers/s": seen.per_second,
        "p50 ms": seen.p50,
        "p99 ms": seen.p99,
        "p99/p50": seen.p99 / seen.p50,
        "server's CPU ms": 1000 * (_cpu_seconds(route.server) - before) / seen.answers,
        "load's CPU": seen.cpu,
    }


def _cpu_seconds(server: psutil.Process) -> float:
    times = server.cpu_times()
    return times.user + times.system


def medians(rounds: Sequence[Mapping[str, Figures]]) -> dict[str, Figures]:
    """By route, the medians over the rounds of its figures and of its rate over the other routes' in the same round."""
    compared = [{name: figures | _ratios(name, each) for name, figures in each.items()} for each in rounds]
    return {
        name: {title: median(each[name][title] for each in compared) for title in figures}
        for name, figures in compared[0].items()
    }


def _ratios(name: str, routes: Mapping[str, Figures]) -> Figures:
    rate = routes[name]["answers/s"]
    return {f"of {other}": rate / figures["answers/s"] for other, figures in routes.items() if other != name}
