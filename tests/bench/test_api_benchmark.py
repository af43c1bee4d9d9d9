"""The API's benchmark compares like with like, its load counts what it should, and it would see a mixed page."""

from typing import Any

import psycopg
import pytest

from models.db.engines import convert_to_libpq_url
from tests.bench.api import EMPTY, LIKES, ORM, OURS, PGBENCH, TURNS, find_faults, grown, medians, rows
from tests.bench.api_conversations import converse, time_pages
from tests.bench.api_population import mark, settle, viewer_of

PEOPLE = 200


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
