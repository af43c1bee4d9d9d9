"""The API under load beside what it may be compared with, and while publications change."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil
from sqlalchemy import create_engine

from tests.bench import api_conversations, api_population
from tests.bench.api_load import Connection, hold, measure, tokens
from tests.bench.api_server import pgbench_rate, running
from tests.bench.figures import Figures, Row, new_process, percent_over, promise, text, unjudged

PACKAGES = ("fastapi", "uvicorn", "uvloop", "psycopg", "pydantic", "sqlalchemy")
MATCHES, LIKES_RECEIVED = "/v1/me/matches?limit=20", "/v1/me/likes?limit=20"
AS_BROWSERS_ASK = ("Accept-Encoding: gzip, deflate, br, zstd",)
OURS, GZIPPED, ORM = "matches", "matches, gzip", "matches by an ORM and Pydantic"
LIKES = "likes"
TURNS = "a page of conversations, one after the other"
EMPTY, BARE, PGBENCH = "empty route", "bare FastAPI, empty route", "pgbench of the statement"
SOAKED = 2000  # viewers
SAMPLE_SECONDS = 1.0
ASKED = 400  # pages of conversations, one after the other
WARM_UP = 0.2  # of the time, before memory counts


class Load(NamedTuple):
    """Users, seconds a route and round, rounds, seconds of the soak, and between its publications."""

    people: int
    seconds: float
    rounds: int
    soaked: float
    every: float


LONG = Load(60_000, 6.0, 5, 600.0, 20.0)
SHORT = Load(20_000, 2.0, 3, 60.0, 5.0)
QUICK = Load(3_000, 1.0, 2, 8.0, 2.0)


class Route(NamedTuple):
    """What one server is asked for."""

    port: int
    server: psutil.Process
    path: str
    headers: tuple[str, ...] = ()


def under(load: Load) -> dict[str, Mapping[str, Figures]]:
    """The figures of the routes by name, and of the soak."""
    with api_population.settled(load.people) as url:
        api_conversations.converse(url, api_conversations.PEOPLE)
        routes = speed(url, load.people, load.seconds, load.rounds)
        return {"speed": routes, "soak": {"soak": soak(url, load.people, load.soaked, load.every)}}


def speed(url: str, people: int, seconds: float, rounds: int) -> dict[str, Figures]:
    """Figures by route: medians over rounds, each of which measures all of them, so that all meet the same machine."""
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "measured") as measured,
        running("bare", url, Path(folder) / "bare") as bare,
        new_process() as load,
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
            _ask(load, route, people, 1.0)  # warm
        found: list[dict[str, Figures]] = []
        for _ in range(rounds):
            found.append({PGBENCH: {"answers/s": pgbench_rate(url, people, seconds)}})
            found[-1][TURNS] = api_conversations.time_pages(url, min(people, api_conversations.PEOPLE), ASKED)
            found[-1] |= {name: _ask(load, route, people, seconds) for name, route in routes.items()}
        return medians(found)


def _ask(load: Executor, route: Route, people: int, seconds: float) -> Figures:
    before = sum(route.server.cpu_times()[:2])
    found = load.submit(measure, route.port, route.path, people, seconds, route.headers).result()
    answers = found.pop("answers")
    worked = sum(route.server.cpu_times()[:2]) - before
    return found | {"server's CPU ms": 1000 * worked / answers}


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


def soak(url: str, people: int, seconds: float, every: float) -> Figures:
    """What 16 connections saw in so many seconds, with another publication every so many."""
    viewers = min(SOAKED, people)
    engine = create_engine(url)
    lists = api_population.read_lists(engine, viewers)
    api_population.publish_next(engine, lists)
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "log") as (port, server),
        new_process() as load,
    ):
        browsed = load.submit(browse, port, viewers, seconds)
        megabytes, switched_at = list[float](), [time.monotonic()]
        while not browsed.done():
            megabytes.append(server.memory_info().rss / 1e6)
            if time.monotonic() >= switched_at[-1] + every:
                api_population.publish_next(engine, lists)
                switched_at.append(time.monotonic())
            time.sleep(SAMPLE_SECONDS)
        engine.dispose()
        return {"seconds": seconds} | browsed.result() | {"switches": len(switched_at) - 1} | grown(megabytes)


def grown(megabytes: list[float]) -> Figures:
    """The means of the first and of the last tenth once warm."""
    warm = megabytes[int(WARM_UP * len(megabytes)) :]
    tenth = max(1, len(warm) // 10)
    first, last = mean(warm[:tenth]), mean(warm[-tenth:])
    return {"server's MB": first, "MB at the end": last, "grown %": percent_over(last, first)}


def browse(port: int, viewers: int, seconds: float) -> Figures:
    """Page through the lists of random viewers over 16 connections, and count what comes."""
    every_token, publications = tokens(viewers), set[int]()
    seen = Counter[str](dict.fromkeys(("answers", "later pages", "errors", "mixed pages", "empty lists"), 0))

    async def browse_once(connection: Connection) -> None:
        """The first page, half the time the next, and half of those times the one after."""
        token, path, begun = connection.rng.choice(every_token), MATCHES, None
        while True:
            status, body = await connection.get(path, token)
            page = json.loads(body)
            seen["answers"] += 1
            seen.update(find_faults(status, page, begun))
            if status != 200:
                return
            publications.add(page["publication"]["id"])
            if page["next_cursor"] is None or connection.rng.random() < 0.5:
                return
            path, begun = f"{MATCHES}&cursor={page['next_cursor']}", page["publication"]["id"]
            seen["later pages"] += 1

    hold(port, seconds, browse_once)
    return {**seen, "publications seen": len(publications)}


def find_faults(status: int, page: dict[str, Any], begun: int | None) -> list[str]:
    """What is wrong with a page, `begun` in a publication or the first one of its list.

    It is mixed if it names another publication than the page before, or if a match of it is another publication's.
    """
    if status != 200:
        return ["errors"]
    named = page["publication"]["id"]
    mark = api_population.mark(named)
    mixed = named != (begun or named) or any(match["p_match_percent"] != mark for match in page["matches"])
    empty = begun is None and not page["matches"]
    return ["mixed pages"] * mixed + ["empty lists"] * empty


def rows(measured: Mapping[str, Mapping[str, Figures]], every: float) -> list[Row]:
    """A row a promise, then a row a route."""
    routes, soaked = measured["speed"], measured["soak"]["soak"]
    ours = routes[OURS]
    record = {**routes, f"soak, a new publication every {every:g} s": soaked}
    return [
        promise("matches: times the ORM's answers/s", ours[f"of {ORM}"], ">=", 4),
        promise("matches: of the empty route's answers/s", ours[f"of {EMPTY}"], ">=", 0.3),
        promise("matches: of pgbench's transactions/s", ours[f"of {PGBENCH}"], ">=", 0.10),
        promise("the same, aim", ours[f"of {PGBENCH}"], ">=", 0.13),
        promise("likes: of the answers/s of matches", routes[LIKES][f"of {OURS}"], ">=", 0.8),
        promise("conversations: p95 ms of a page, with 258,145 messages", routes[TURNS]["p95 ms"], "<=", 20),
        promise("matches: p99 over p50, 16 connections", ours["p99/p50"], "<=", 6),
        promise("soak: answers that were not 200", soaked["errors"], "<=", 0),
        promise("soak: pages that mixed two publications", soaked["mixed pages"], "<=", 0),
        promise("soak: empty lists", soaked["empty lists"], "<=", 0),
        promise("soak: memory grown since the first fifth, %", soaked["grown %"], "<=", 5),
        *unjudged((name, _list(figures)) for name, figures in record.items()),
    ]


def _list(figures: Figures) -> str:
    return "; ".join(f"{title} {text(value)}" for title, value in figures.items() if not title.startswith("of "))
