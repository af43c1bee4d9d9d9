"""The rate limit holds for each viewer and delays no other."""

from http import HTTPStatus
from itertools import accumulate
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.rate_limit import RateLimit
from tests.serving.conftest import BURST, Api, Users, problem
from tests.serving.issuer import claims, signed

ME, YOU = UUID(int=1), UUID(int=2)
rates = st.floats(0.1, 50)
bursts = st.integers(1, 10)


class Clock:
    """A clock that stands still between sleeps."""

    def __init__(self) -> None:
        self.now = 10**15

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), rates, bursts)
def test_no_period_holds_more_than_burst_and_rate(pauses: list[float], per_second: float, burst: int) -> None:
    clock = Clock()
    limit = RateLimit(per_second, burst, read_clock=clock)
    admitted = []
    for at, pause in zip(accumulate(pauses), pauses, strict=True):
        clock.sleep(pause)
        if not limit.take(ME):
            admitted.append(at)
    for first, start in enumerate(admitted):
        for count, end in enumerate(admitted[first:], start=1):
            assert count <= burst + per_second * (end - start) + 1e-3


@given(rates, bursts)
def test_after_the_wait_a_request_is_admitted(per_second: float, burst: int) -> None:
    clock = Clock()
    limit = RateLimit(per_second, burst, read_clock=clock)
    assert [limit.take(ME) for _ in range(burst)] == [0] * burst
    wait = limit.take(ME)
    assert wait == pytest.approx(1 / per_second)
    assert limit.take(ME) == wait, "a rejected request does not count"
    assert limit.take(YOU) == 0
    clock.sleep(wait)
    assert limit.take(ME) == 0


def test_the_viewer_longest_away_is_removed_first() -> None:
    limit = RateLimit(per_second=1, burst=2, max_buckets=100, read_clock=Clock())
    frequent = UUID(int=1000)
    admitted = 0
    for person in range(1000):
        assert limit.take(UUID(int=person)) == 0
        admitted += limit.take(frequent) == 0
    assert admitted == 2, "who asks all the time is not removed"
    taken = [[limit.take(UUID(int=person)) == 0 for _ in range(2)] for person in (901, 900)]
    assert taken == [[True, False], [True, True]], "99 others are remembered; the rest have full buckets"


def test_one_limit_for_all_routes_and_none_without_a_token(strict_api: Api, users: Users) -> None:
    me, _ = users.viewer()
    token, other = (signed(claims(person)) for person in (me, users.add()))
    paths = ("/v1/me/matches", "/v1/me/similar", "/v1/me/most-compatible", "/v1/publications/current")
    statuses = [strict_api.get(path, token).status_code for path in (*paths, paths[0])]
    assert statuses == [200] * BURST
    response = strict_api.get(paths[3], token)
    problem(response, HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests")
    assert 1 <= int(response.headers["retry-after"]) <= 1000
    assert str(me) not in response.text
    assert strict_api.get(paths[0], other).status_code == 200
    assert {strict_api.get(paths[0], "bad").status_code for _ in range(2 * BURST)} == {401}
    assert {strict_api.get("/livez").status_code for _ in range(2 * BURST)} == {200}
