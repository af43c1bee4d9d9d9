"""The API under load while publications change: no error, no page of two publications, no more memory."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import uvloop
from sqlalchemy import Engine, create_engine, text

from models.db.match_lists import MatchList
from models.db.publications import publications, publish
from tests.bench.api_load import CONNECTIONS, Answer, Conversation, hold, process, request, tokens
from tests.bench.api_server import running
from tests.bench.api_town import viewer_of

Row = dict[str, str | float]
Lists = Sequence[tuple[str, Sequence[str]]]

VIEWERS = 2000
SAMPLE_SECONDS = 1.0
WARM_UP = 0.2  # of the time, before memory counts
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # whatever speaks against a pair is newer, so that it is left out


def soak(url: str, people: int, seconds: float, every: float) -> list[Row]:
    """One row: what 16 connections saw in so many seconds, with another publication every so many."""
    viewers = min(VIEWERS, people)
    engine, lists = create_engine(url), _lists(url, viewers)
    publish_next(engine, lists)
    with (
        TemporaryDirectory() as folder,
        running("measured", url, Path(folder) / "log") as (port, server),
        process() as load,
        process() as publisher,
    ):
        browsed = load.submit(browse, port, viewers, seconds)
        switched = publisher.submit(switch, url, lists, seconds, every)
        megabytes = list(_memory(server, browsed))
        seen = browsed.result()
        engine.dispose()
        settled = megabytes[int(WARM_UP * len(megabytes)) :]
        tenth = max(1, len(settled) // 10)
        first, last = mean(settled[:tenth]), mean(settled[-tenth:])
        return [
            {
                "seconds": seconds,
                "answers": seen["answers"],
                "later pages": seen["later"],
                "switches": switched.result(),
                "publications seen": seen["publications"],
                "errors": seen["failed"],
                "mixed pages": seen["mixed"],
                "server MB": first,
                "at the end": last,
                "grown %": 100 * (last / first - 1),
            }
        ]


def _memory(server: psutil.Process, until: Future[Any]) -> Iterator[float]:
    """The server's resident megabytes, sampled."""
    while not until.done():
        yield server.memory_info().rss / 1e6
        time.sleep(SAMPLE_SECONDS)


def _lists(url: str, viewers: int) -> Lists:
    """The first viewers' lists as they are."""
    ids = [str(viewer_of(number)) for number in range(1, viewers + 1)]
    columns = "viewer_id::text, candidate_ids::text[]"
    statement = text(f"SELECT {columns} FROM matching.match_lists WHERE viewer_id = ANY (:ids)")
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [(viewer, candidates) for viewer, candidates in connection.execute(statement, {"ids": ids})]
    engine.dispose()
    return found


def switch(url: str, lists: Lists, seconds: float, every: float) -> int:
    """Publish the lists again and again; how often."""
    engine, deadline, count = create_engine(url), time.monotonic() + seconds, 0
    while time.monotonic() + every < deadline:
        time.sleep(every)
        publish_next(engine, lists)
        count += 1
    engine.dispose()
    return count


def publish_next(engine: Engine, lists: Lists) -> None:
    """Publish the lists with chances that tell this publication from the ones around it."""
    with engine.connect() as connection:
        expected = publications(connection)[0].id + 1
    made = publish(
        engine,
        (_marked(viewer, candidates, mark(expected) / 100) for viewer, candidates in lists),
        ranker_version="1",
        encoder="none",
        metrics={},
        as_of=datetime.now(UTC).date(),
        scored_at=LONG_AGO,
    )
    assert made.id == expected


def mark(publication_id: int) -> int:
    """The percentage that every match of a publication has."""
    return publication_id % 100


def _marked(viewer: str, candidates: Sequence[str], chance: float) -> MatchList:
    chances = [chance] * len(candidates)
    return MatchList(viewer, candidates, chances, chances, chances, [[] for _ in candidates])


def browse(port: int, viewers: int, seconds: float) -> Counter[str]:
    """Hold 16 connections that page through lists; what they saw."""
    seen: Counter[str] = Counter()
    ids: set[int] = set()
    talks = (
        paging(tokens(viewers), Random(number), seen, ids)  # noqa: S311 -- the same people each time
        for number in range(CONNECTIONS)
    )
    uvloop.run(hold(port, talks, seconds, lambda _latency, _answer: None))
    seen["publications"] = len(ids)
    return seen


def paging(people: Sequence[str], rng: Random, seen: Counter[str], ids: set[int]) -> Conversation:
    """The first page of one person after another, and of half of them the next, and of half of those the one after."""
    while True:
        token = rng.choice(people)
        page = _page((yield request("/v1/me/matches?limit=20", token)), seen)
        begun = page and page["publication"]["id"]
        while page:
            ids.add(page["publication"]["id"])
            seen["mixed"] += is_mixed(page, begun)
            if page["next_cursor"] is None or rng.random() < 0.5:
                break
            seen["later"] += 1
            page = _page((yield request(f"/v1/me/matches?limit=20&cursor={page['next_cursor']}", token)), seen)


def _page(answer: Answer, seen: Counter[str]) -> dict[str, Any] | None:
    seen["answers"] += 1
    if answer.status != 200:
        seen["failed"] += 1
        return None
    page: dict[str, Any] = json.loads(answer.body)
    return page


def is_mixed(page: dict[str, Any], begun: object) -> bool:
    """Whether a page names another publication than the first page, or a match of it is another publication's."""
    named = page["publication"]["id"]
    return named != begun or any(match["p_match_percent"] != mark(named) for match in page["matches"])
