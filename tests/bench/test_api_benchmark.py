"""The API's benchmark: it compares like with like, its load counts what it should, and it would see a mixed page."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import psycopg
import pytest

from models.db.engines import libpq_url
from serving.database import SESSION
from tests.bench import api_pgbench
from tests.bench.api_load import Answer, Measured, measure, tokens
from tests.bench.api_promises import promises
from tests.bench.api_server import running
from tests.bench.api_soak import is_mixed, mark, paging, soak
from tests.bench.api_speed import BARE, EMPTY, GZIPPED, ORM, OURS, Served, rows
from tests.bench.api_town import settle, viewer_of

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


def test_the_load_counts_answers_and_failures(port: int) -> None:
    good, bad = measure(port, "/empty", PEOPLE, 0.5), measure(port, "/nowhere", PEOPLE, 0.5)
    assert good.failed == 0
    assert bad.failed == bad.answers > 16
    assert 0 < good.p50 <= good.p99 < 1000 * good.seconds
    assert good.answers == pytest.approx(good.per_second * good.seconds)


def test_everybody_has_a_list_of_people_who_were_eligible(town: str) -> None:
    with psycopg.connect(libpq_url(town)) as connection:
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
    with psycopg.connect(libpq_url(town), options=api_pgbench.options()) as connection:
        of_pgbench = connection.execute(show).fetchone()
    with psycopg.connect(libpq_url(town), autocommit=True) as connection:
        connection.execute(SESSION)
        assert connection.execute(show).fetchone() == of_pgbench


def page(publication: int, percents: list[int], cursor: str | None = None) -> dict[str, Any]:
    matches = [{"p_match_percent": percent} for percent in percents]
    return {"publication": {"id": publication}, "matches": matches, "next_cursor": cursor}


def test_a_page_of_two_publications_is_seen() -> None:
    assert mark(1234) == 34
    assert not is_mixed(page(7, [7, 7]), begun=7)
    assert not is_mixed(page(7, []), begun=7)
    assert is_mixed(page(7, [7, 8]), begun=7)
    assert is_mixed(page(8, [8, 8]), begun=7)


def test_pages_follow_their_cursor_and_what_is_wrong_is_counted() -> None:
    seen: Counter[str] = Counter()
    ids: set[int] = set()
    talk = paging(["token"], Random(1), seen, ids)  # noqa: S311
    next(talk)
    for publication, percents in ((7, [7]), (7, [7]), (8, [8]), (8, [7])) * 10:
        talk.send(Answer(200, json.dumps(page(publication, percents, "more")).encode()))
    talk.send(Answer(503, b""))
    assert (seen["answers"], seen["failed"], ids) == (41, 1, {7, 8})
    assert 10 < seen["mixed"] < 30
    assert 10 < seen["later"] < 30


def test_publications_change_under_load(town: str) -> None:
    (row,) = soak(town, PEOPLE, seconds=4, every=1)
    assert (row["errors"], row["mixed pages"]) == (0, 0)
    assert float(row["switches"]) >= 2
    assert float(row["publications seen"]) >= 3
    assert float(row["answers"]) > float(row["later pages"]) > 0
    assert float(row["server MB"]) > 20


def test_the_figures_are_medians_of_ratios_and_judged() -> None:
    def served(per_second: float, p99: float) -> Served:
        return Served(Measured(int(per_second), 1.0, 2.0, p99, 0, 0.1), server_ms=1.0, of_pgbench=per_second / 1000)

    def one(ours: float) -> dict[str, Served]:
        return {
            EMPTY: served(200, 4),
            OURS: served(ours, 13),
            GZIPPED: served(40, 4),
            ORM: served(10, 4),
            BARE: served(800, 4),
        }

    speed = rows([one(100), one(50), one(90)])
    assert {row["route"]: row["over the ORM"] for row in speed} == {EMPTY: 20, OURS: 9, GZIPPED: 4, ORM: 1, BARE: 80}
    ours = speed[1]
    assert (ours["of pgbench"], ours["of the empty route"], ours["p99/p50"]) == (0.09, 0.45, 6.5)
    verdicts = promises(speed, [{"errors": 0, "mixed pages": 1, "grown %": 2.0}])
    broken = [row["promise"] for row in verdicts if row[""] != "holds"]
    assert broken == [
        "of pgbench, >= 0.10",
        "of pgbench, aim: >= 0.13",
        "p99 over p50, <= 6",
        "switches: pages of two publications",
    ]
