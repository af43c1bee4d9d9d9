"""The API under load while publications change: no error, no empty list, no mixed page, no more memory."""

import json
import time
from collections import Counter
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import create_engine

from tests.bench.api_load import Connection, hold, process, tokens
from tests.bench.api_publishing import lists_of, mark, publish_next
from tests.bench.api_server import running
from tests.bench.api_speed import MATCHES
from tests.bench.figures import Figures

VIEWERS = 2000
SAMPLE_SECONDS = 1.0
WARM_UP = 0.2  # of the time, before memory counts


def soak(url: str, people: int, seconds: float, every: float) -> Figures:
    """What 16 connections saw in so many seconds, with another publication every so many."""
    viewers = min(VIEWERS, people)
    engine = create_engine(url)
    lists = lists_of(engine, viewers)
    publish_next(engine, lists)
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "log") as (port, server),
        process() as load,
    ):
        browsed = load.submit(browse, port, viewers, seconds)
        megabytes, switched_at = list[float](), [time.monotonic()]
        while not browsed.done():
            megabytes.append(server.memory_info().rss / 1e6)
            if time.monotonic() >= switched_at[-1] + every:
                publish_next(engine, lists)
                switched_at.append(time.monotonic())
            time.sleep(SAMPLE_SECONDS)
        engine.dispose()
        return {"seconds": seconds} | browsed.result() | {"switches": len(switched_at) - 1} | grown(megabytes)


def grown(megabytes: list[float]) -> Figures:
    """The means of the first and of the last tenth once warm."""
    warm = megabytes[int(WARM_UP * len(megabytes)) :]
    tenth = max(1, len(warm) // 10)
    first, last = mean(warm[:tenth]), mean(warm[-tenth:])
    return {"server's MB": first, "MB at the end": last, "grown %": 100 * (last / first - 1)}


def browse(port: int, viewers: int, seconds: float) -> Figures:
    """Page through the lists of random viewers over 16 connections; what came."""
    everybody, publications = tokens(viewers), set[int]()
    seen = Counter[str]({"answers": 0, "later pages": 0, "errors": 0, "mixed pages": 0, "empty lists": 0})

    async def pages_of_one(connection: Connection) -> None:
        """The first page, half the time the next, and half of those times the one after."""
        token, path, begun = connection.rng.choice(everybody), MATCHES, None
        while True:
            answer = await connection.get(path, token)
            seen["answers"] += 1
            if answer.status != 200:
                seen["errors"] += 1
                return
            page = json.loads(answer.body)
            publications.add(page["publication"]["id"])
            seen["mixed pages"] += is_mixed(page, begun)
            seen["empty lists"] += begun is None and not page["matches"]
            if page["next_cursor"] is None or connection.rng.random() < 0.5:
                return
            path, begun = f"{MATCHES}&cursor={page['next_cursor']}", page["publication"]["id"]
            seen["later pages"] += 1

    hold(port, seconds, pages_of_one)
    return {**seen, "publications seen": len(publications)}


def is_mixed(page: dict[str, Any], begun: int | None) -> bool:
    """Whether a page names another publication than the page before, or a match of it is another publication's."""
    named = page["publication"]["id"]
    return named != (begun or named) or any(match["p_match_percent"] != mark(named) for match in page["matches"])
