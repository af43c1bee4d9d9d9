"""How often one person may ask."""

import time
from collections import OrderedDict
from math import ceil
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from serving.access.auth import authenticate_viewer
from serving.problems.problem_details import raise_too_many_requests

MAX_BUCKETS = 100_000
"""How many people are remembered; each takes about 200 bytes."""


class RateLimit:
    """A token bucket a person: `burst` requests at once, then `per_second`.

    Buckets are this process's own: behind N processes a person may ask N times as often. Who has not asked for
    longest is forgotten first, and a person forgotten has a full bucket.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        # Whole nanoseconds: in fractions of a second the last request of a burst would fall to rounding.
        self._cost = round(1e9 / per_second)
        self._most = burst * self._cost
        # A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm).
        self._full_at: OrderedDict[UUID, int] = OrderedDict()

    def take(self, person: UUID) -> float:
        """Seconds the person has to wait, 0 if the request is let through; only those let through are counted."""
        now = time.monotonic_ns()
        full_at = max(self._full_at.get(person, now), now) + self._cost
        wait = full_at - now - self._most
        if wait <= 0:
            self._full_at[person] = full_at
        self._full_at.move_to_end(person)
        if len(self._full_at) > MAX_BUCKETS:
            self._full_at.popitem(last=False)
        return max(wait, 0) / 1e9


async def admit_viewer(request: Request, viewer: Annotated[UUID, Depends(authenticate_viewer)]) -> UUID:
    """The profile id in the request's token. Answers 429 if this person asks too often."""
    limit: RateLimit = request.state.limit
    wait = limit.take(viewer)
    if wait:
        raise_too_many_requests(ceil(wait))
    return viewer
