"""The API's benchmark: it compares like with like, its load counts what it should, and it would see a mixed page."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import psycopg
import pytest

from models.db.engines import convert_to_libpq_url
from serving.queries.read_pool import SESSION
from tests.bench import api_pgbench
from tests.bench.api_figures import promises
from tests.bench.api_load import measure, tokens
from tests.bench.api_publishing import mark
from tests.bench.api_server import running
from tests.bench.api_soak import browse, grown, is_mixed, soak
from tests.bench.api_speed import EMPTY, LIKES, ORM, OURS, PGBENCH, medians
from tests.bench.api_town import settle, viewer_of
from tests.bench.figures import markdown

PEOPLE = 200


@pytest.fixture
def town(database_url: str) -> str:
    settle(database_url, PEOPLE)
    return database_url


@pytest.fixture
def port(town: str, tmp_path: Path) -> Iterator[int]:
    with running("measured", town, tmp_path / "log") as (port, _):
        yield port


def asked(port: int, path: str, token: str) -> dict[str, Any]:
    answer = httpx2.get(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_orm_answers_what_the_api_answers(port: int) -> None:
    for token in tokens(PEOPLE)[:40]:
        ours, orm = (asked(port, f"{path}?limit=20", token) for path in ("/v1/me/matches", "/orm/matches"))
        assert len(ours["matches"]) == 20
        assert ours["matches"] == orm["matches"]
        assert ours["publication"]["id"] == orm["publication"]["id"]


def test_everybody_has_likes_that_wait(port: int) -> None:
    found = [len(asked(port, "/v1/me/likes?limit=20", token)["likes"]) for token in tokens(PEOPLE)[:40]]
    assert sum(found) > 40 * (PEOPLE // 40) / 2


def test_the_load_counts_answers_and_accepts_no_failure(port: int) -> None:
    seen = measure(port, "/empty", PEOPLE, 0.5)
    taken = seen.answers / seen.per_second
    assert 0.5 <= taken < 5
    assert 0 < seen.p50 <= seen.p99 <= 1_000 * taken
    with pytest.raises(RuntimeError, match="/nowhere answers 404"):
        measure(port, "/nowhere", PEOPLE, 0.5)


def test_everybody_has_a_list_of_people_who_were_eligible(town: str) -> None:
    with psycopg.connect(convert_to_libpq_url(town)) as connection:
        listed = connection.execute("SELECT viewer_id, cardinality(candidate_ids) FROM matching.match_lists").fetchall()
        ineligible = connection.execute(
            "SELECT count(*) FROM matching.matches JOIN app.profiles AS viewer ON viewer.id = viewer_id"
            " JOIN app.profiles AS candidate ON candidate.id = candidate_id"
            " WHERE NOT matching.is_eligible(viewer, candidate, current_date)"
            " AND NOT viewer.paused AND NOT candidate.paused"
        ).fetchone()
        paused = connection.execute("SELECT id FROM app.profiles WHERE paused").fetchall()
    assert {viewer for viewer, _ in listed} == {viewer_of(number) for number in range(1, PEOPLE + 1)}
    assert all(20 <= length <= 50 for _, length in listed)
    assert ineligible == (0,)
    assert {row[0] for row in paused} == {viewer_of(number) for number in (1, 51, 101, 151)}
    assert len(tokens(PEOPLE)) == PEOPLE - 4


def test_pgbench_runs_the_statement_as_the_api_does(town: str) -> None:
    assert api_pgbench.per_second(town, PEOPLE, 1) > 10
    names = ["role", "default_transaction_read_only", "statement_timeout", "plan_cache_mode", "jit", "TimeZone"]
    show = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    with psycopg.connect(convert_to_libpq_url(town), options=api_pgbench.options()) as connection:
        of_pgbench = connection.execute(show).fetchone()
    with psycopg.connect(convert_to_libpq_url(town), autocommit=True) as connection:
        connection.execute(SESSION)
        assert connection.execute(show).fetchone() == of_pgbench


def page(publication: int, percents: list[int], cursor: str | None = None) -> dict[str, Any]:
    matches = [{"p_match_percent": percent} for percent in percents]
    return {"publication": {"id": publication}, "matches": matches, "next_cursor": cursor}


def test_a_page_of_two_publications_is_seen() -> None:
    assert mark(1234) == 34
    assert not is_mixed(page(7, [7, 7]), begun=None)
    assert not is_mixed(page(7, []), begun=7)
    assert is_mixed(page(7, [7, 8]), begun=None)
    assert is_mixed(page(8, [8, 8]), begun=7)


@contextmanager
def answering(pages: Iterator[dict[str, Any] | None]) -> Iterator[int]:
    """The port of a server that answers every request with the next of these pages, or 503 where there is none."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = next(pages)
            body = json.dumps(found).encode()
            self.send_response_only(200 if found else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False  # joined at the end
        loop = threading.Thread(target=server.serve_forever)
        loop.start()
        yield server.server_port
        server.shutdown()
        loop.join()


def test_what_is_wrong_with_pages_is_counted() -> None:
    kinds = [page(7, [7]), page(7, [7, 8]), page(7, []), None]
    with answering(cycle(kinds)) as port:
        seen = browse(port, PEOPLE, 0.5)
    assert seen["later pages"] == 0
    for kind in ("errors", "mixed pages", "empty lists"):
        assert seen[kind] == pytest.approx(seen["answers"] / 4, abs=1)


def test_the_later_pages_are_those_of_the_first() -> None:
    either = Random(1)  # noqa: S311
    with answering(iter(lambda: either.choice([page(7, [7], "more"), page(8, [8], "more")]), None)) as port:
        seen = browse(port, PEOPLE, 1.5)
    assert seen["answers"] > seen["later pages"] > 40
    assert seen["mixed pages"] == pytest.approx(seen["later pages"] / 2, rel=0.5)
    assert seen["publications seen"] == 2


def test_publications_change_under_load(town: str) -> None:
    seen = soak(town, PEOPLE, seconds=4, every=1)
    assert (seen["errors"], seen["mixed pages"], seen["empty lists"]) == (0, 0, 0)
    assert seen["switches"] >= 2
    assert seen["publications seen"] >= 2
    assert seen["answers"] > seen["later pages"] > 0
    assert seen["server's MB"] > 20


def test_memory_grown_is_of_the_time_after_warming_up() -> None:
    assert grown([10.0] * 20 + [100.0] * 40 + [110.0] * 40) == {
        "server's MB": 100,
        "MB at the end": 110,
        "grown %": pytest.approx(10),
    }


def one_round(ours: float) -> dict[str, dict[str, float]]:
    rates = {PGBENCH: 1000, EMPTY: 200, OURS: ours, ORM: 10, LIKES: 80}
    return {name: {"answers/s": rate, "p99/p50": rate / 10} for name, rate in rates.items()}


def test_the_figures_are_medians_of_the_ratios_within_rounds() -> None:
    slow = {name: {title: value / 2 for title, value in each.items()} for name, each in one_round(80).items()}
    ours = medians([one_round(100), slow, one_round(60)])[OURS]
    assert ours == {
        "answers/s": 60,
        "p99/p50": 6,
        f"of {PGBENCH}": pytest.approx(0.08),
        f"of {EMPTY}": pytest.approx(0.4),
        f"of {ORM}": pytest.approx(8),
        f"of {LIKES}": pytest.approx(1),
    }


def test_promises_are_judged_by_their_bars() -> None:
    kept = {"errors": 0.0, "mixed pages": 0.0, "empty lists": 0.0, "grown %": 2.0}
    verdicts = promises(medians([one_round(90)]), kept | {"mixed pages": 1.0})
    assert [row["figure"] for row in verdicts if row[""] != "holds"] == [
        "matches: of pgbench's transactions/s",
        "the same, aim",
        "matches: p99 over p50, 16 connections",
        "soak: pages that mixed two publications",
    ]
    assert "| matches: p99 over p50, 16 connections | 9 | <= 6 | does not hold |" in markdown(verdicts)
