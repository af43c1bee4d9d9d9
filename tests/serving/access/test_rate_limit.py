"""Nobody asks oftener than they may, and nobody pays for another's haste."""

import time
from collections.abc import Iterator
from itertools import accumulate
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access import rate_limit
from serving.access.rate_limit import RateLimit
from tests.serving.conftest import Api, Town, serving, token_for

ME, YOU = UUID(int=1), UUID(int=2)


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 10**15

    def monotonic_ns(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limit, "time", clock)
    return clock


def test_a_burst_and_then_the_rate(clock: Clock) -> None:
    limit = RateLimit(per_second=4, burst=3)
    assert [limit.take(ME) for _ in range(4)] == [0, 0, 0, 0.25]
    assert limit.take(ME) == 0.25, "who is refused is not set back by asking"
    assert limit.take(YOU) == 0
    clock.sleep(0.1)
    assert limit.take(ME) == pytest.approx(0.15)
    clock.sleep(0.15)
    assert (limit.take(ME), limit.take(ME)) == (0, 0.25)
    clock.sleep(60)
    assert [limit.take(ME) for _ in range(4)] == [0, 0, 0, 0.25], "rest fills the bucket once, not over"


@given(
    pauses=st.lists(st.floats(0, 2), min_size=1, max_size=60),
    per_second=st.floats(0.1, 50),
    burst=st.integers(1, 10),
)
def test_no_stretch_of_time_holds_more_than_burst_and_rate(pauses: list[float], per_second: float, burst: int) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "time", clock)
        limit = RateLimit(per_second, burst)
        let_through = []
        for at, pause in zip(accumulate(pauses), pauses, strict=True):
            clock.sleep(pause)
            if not limit.take(ME):
                let_through.append(at)
    for first, start in enumerate(let_through):
        for count, end in enumerate(let_through[first:], start=1):
            assert count <= burst + per_second * (end - start) + 1e-3


@given(per_second=st.floats(0.1, 50), burst=st.integers(1, 10))
def test_who_waits_as_told_is_let_through(per_second: float, burst: int) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "time", clock)
        limit = RateLimit(per_second, burst)
        assert [limit.take(ME) for _ in range(burst)] == [0] * burst
        clock.sleep(limit.take(ME))
        assert limit.take(ME) == 0


def test_only_so_many_people_are_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 100)
    limit = RateLimit(per_second=1, burst=2)
    let_through = 0
    for person in range(1000):
        limit.take(UUID(int=person))
        let_through += limit.take(UUID(int=1000)) == 0
    assert len(limit._full_at) == 100
    assert let_through == 2, "who asks all the time is not forgotten"
    assert limit.take(UUID(int=999)) == 0
    assert limit.take(UUID(int=999)) > 0


@pytest.fixture(scope="module")
def slow_api(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API that lets everybody ask three times at once and then every other second."""
    log = tmp_path_factory.mktemp("slow_api") / "log"
    with serving(api_database, log, MATCHING_RATE_BURST="3", MATCHING_RATE_PER_SECOND="0.5") as api:
        yield api


def test_who_asks_too_often_is_told_when_to_ask_again(slow_api: Api, town: Town) -> None:
    me, you = town.person(), town.person()
    town.publish({me: [], you: []})
    started = time.monotonic()
    answers = [slow_api.matches(me) for _ in range(4)]
    assert time.monotonic() - started < 2, "too busy here to tell"
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] in {"1", "2"}
    assert refused.headers["cache-control"] == "no-store"
    assert (refused.json()["title"], refused.json()["type"]) == (
        "Too Many Requests",
        "urn:delete:problem:too-many-requests",
    )
    assert str(me) not in refused.text
    assert slow_api.matches(you).status_code == 200
    time.sleep(float(refused.headers["retry-after"]))
    assert slow_api.matches(me).status_code == 200


def test_one_limit_for_all_addresses_and_none_without_a_token(slow_api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    paths = ("/v1/me/matches", "/v1/me/similar", "/v1/me/most-compatible", "/v1/publications/current")
    assert slow_api.matches(me).status_code == 200
    for path in paths[1:3]:
        assert slow_api.get(path, token_for(me)).status_code == 200
    assert slow_api.get(paths[3], token_for(me)).status_code == 429
    assert {slow_api.get("/v1/me/matches", "bad").status_code for _ in range(10)} == {401}
    assert {slow_api.get("/livez").status_code for _ in range(10)} == {200}
