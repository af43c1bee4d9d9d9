"""The rate limit per viewer."""

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from serving.access.auth import authenticate_viewer
from serving.problems.problem_details import raise_too_many_requests

MAX_BUCKETS = 100_000
"""Number of viewers that are remembered. Each takes about 200 bytes."""


class RateLimit:
    """A token bucket per viewer: `burst` requests at once, then `per_second`.

    Buckets are local to the process: behind N processes, a viewer can make N times as many requests. When the table is
    full, the viewer whose last request is oldest is removed. A removed viewer starts again with a full bucket.
    """

    def __init__(
        self,
        per_second: float,
        burst: int,
        max_buckets: int = MAX_BUCKETS,
        read_clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        # Whole nanoseconds: with fractions of a second, rounding could reject the last request of a burst.
        self._cost = round(1e9 / per_second)
        self._most = burst * self._cost
        self._max_buckets = max_buckets
        self._read_clock = read_clock
        # A bucket is one number: the time at which it will be full again (generic cell rate algorithm).
        self._full_at: OrderedDict[UUID, int] = OrderedDict()

    def take(self, person: UUID) -> float:
        """Return the seconds that the viewer has to wait, 0 if the request is admitted.

        Only admitted requests count.
        """
        now = self._read_clock()
        full_at = max(self._full_at.get(person, now), now) + self._cost
        wait = full_at - now - self._most
        if wait <= 0:
            self._full_at[person] = full_at
        self._full_at.move_to_end(person)
        if len(self._full_at) > self._max_buckets:
            self._full_at.popitem(last=False)
        return max(wait, 0) / 1e9


async def admit_viewer(request: Request, viewer: Annotated[UUID, Depends(authenticate_viewer)]) -> UUID:
    """Return the profile id in the request's token, or answer 429 if the viewer exceeds the rate limit."""
    limit: RateLimit = request.state.limit
    wait = limit.take(viewer)
    if wait:
        raise_too_many_requests(ceil(wait))
    return viewer
