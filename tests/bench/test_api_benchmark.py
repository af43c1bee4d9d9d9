"""The API's benchmark compares like with like, its load counts what it should, and it would see a mixed page."""

from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from models.db.engines import convert_to_libpq_url
from serving.queries.read_pool import SESSION
from tests.bench.api import EMPTY, LIKES, ORM, OURS, PGBENCH, TURNS, find_faults, grown, medians, rows, soak
from tests.bench.api_conversations import converse, time_pages
from tests.bench.api_load import measure, tokens
from tests.bench.api_population import mark, settle, viewer_of
from tests.bench.api_server import pgbench_options, pgbench_rate, running

PEOPLE = 200


def test_like_is_compared_with_like(database_url: str, tmp_path: Path) -> None:
    settle(database_url, PEOPLE)
    with psycopg.connect(convert_to_libpq_url(database_url), autocommit=True) as connection:
        listed = connection.execute("SELECT viewer_id, cardinality(candidate_ids) FROM matching.match_lists").fetchall()
        paused = connection.execute("SELECT id FROM app.profiles WHERE paused").fetchall()
        names = ("role", "default_transaction_read_only", "statement_timeout", "plan_cache_mode", "jit", "TimeZone")
        show = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
        connection.execute(SESSION)
        of_the_api = connection.execute(show).fetchone()
    with psycopg.connect(convert_to_libpq_url(database_url), options=pgbench_options()) as connection:
        assert connection.execute(show).fetchone() == of_the_api
    assert {viewer for viewer, _ in listed} == {viewer_of(number) for number in range(1, PEOPLE + 1)}
    assert all(20 <= length <= 50 for _, length in listed)
    assert {viewer for (viewer,) in paused} == {viewer_of(number) for number in (1, 51, 101, 151)}
    assert pgbench_rate(database_url, PEOPLE, 1) > 10
    with running("measured", database_url, tmp_path / "log") as (port, _):
        waiting = [len(get(port, "/v1/me/likes?limit=20", token)["likes"]) for token in tokens(PEOPLE)[:40]]
        assert sum(waiting) > 40 * (PEOPLE // 40) / 2
        for token in tokens(PEOPLE)[:40]:
            ours, orm = (get(port, f"{path}?limit=20", token) for path in ("/v1/me/matches", "/orm/matches"))
            assert len(ours["matches"]) == 20
            assert ours["matches"] == orm["matches"]
            assert ours["publication"]["id"] == orm["publication"]["id"]
        seen = measure(port, "/empty", PEOPLE, 0.5)
        assert 0.5 <= seen["answers"] / seen["answers/s"] < 5
        assert 0 < seen["p50 ms"] <= seen["p99 ms"]
        with pytest.raises(RuntimeError, match="/nowhere answers 404"):
            measure(port, "/nowhere", PEOPLE, 0.5)
    soaked = soak(database_url, PEOPLE, seconds=4, every=1)
    assert (soaked["errors"], soaked["mixed pages"], soaked["empty lists"]) == (0, 0, 0)
    assert soaked["publications seen"] >= 2
    assert soaked["answers"] > soaked["later pages"] > 0


def test_conversations_are_as_many_and_as_long_as_they_should_be(database_url: str) -> None:
    settle(database_url, PEOPLE)
    converse(database_url, PEOPLE, 160, 2000)
    with psycopg.connect(convert_to_libpq_url(database_url)) as connection:
        count = "SELECT count(*), count(DISTINCT conversation_id), max(sent_at) < now() FROM app.messages"
        assert connection.execute(count).fetchone() == (2000, 140, True)
        read = "SELECT people FROM matching_api.read_conversations(%s, 50, '{}', '{}')"
        found = [connection.execute(read, [viewer_of(n)]).fetchall()[0][0] for n in range(2, PEOPLE + 1, 50)]
    assert sum(map(len, found)) > 0
    taken = time_pages(database_url, PEOPLE, 20)
    assert 0 < taken["p50 ms"] <= taken["p95 ms"]


def get(port: int, path: str, token: str) -> dict[str, Any]:
    response = httpx2.get(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def page(publication: int, *percents: int) -> dict[str, Any]:
    return {"publication": {"id": publication}, "matches": [{"p_match_percent": percent} for percent in percents]}


def test_faults_of_pages_are_found() -> None:
    assert mark(1234) == 34
    assert find_faults(200, page(7, 7, 7), None) == find_faults(200, page(7), 7) == []
    assert find_faults(200, page(7, 7, 8), None) == find_faults(200, page(8, 8), 7) == ["mixed pages"]
    assert find_faults(200, page(7), None) == ["empty lists"]
    assert find_faults(503, {}, None) == ["errors"]


def test_memory_grown_is_of_the_time_after_warming_up() -> None:
    found = grown([10.0] * 20 + [100.0] * 40 + [110.0] * 40)
    assert found == {"server's MB": 100, "MB at the end": 110, "grown %": pytest.approx(10)}


def one_round(ours: float) -> dict[str, dict[str, float]]:
    rates = {PGBENCH: 1000, TURNS: 100, EMPTY: 200, OURS: ours, ORM: 10, LIKES: 80}
    return {name: {"answers/s": rate, "p99/p50": rate / 10, "p95 ms": 21} for name, rate in rates.items()}


def test_medians_and_verdicts_by_hand() -> None:
    slow = {name: {title: value / 2 for title, value in each.items()} for name, each in one_round(80).items()}
    ours = medians([one_round(100), slow, one_round(60)])[OURS]
    ratios = {f"of {PGBENCH}": 0.08, f"of {EMPTY}": 0.4, f"of {ORM}": 8, f"of {LIKES}": 1, f"of {TURNS}": 0.8}
    assert ours == pytest.approx({"answers/s": 60, "p99/p50": 6, "p95 ms": 21, **ratios})
    soaked = {"errors": 0.0, "mixed pages": 1.0, "empty lists": 0.0, "grown %": 2.0}
    verdicts = rows({"speed": medians([one_round(90)]), "soak": {"soak": soaked}}, every=5)
    assert [row["figure"] for row in verdicts if row[""] == "does not hold"] == [
        "matches: of pgbench's transactions/s",
        "the same, aim",
        "conversations: p95 ms of a page, with 258,145 messages",
        "matches: p99 over p50, 16 connections",
        "soak: pages that mixed two publications",
    ]
