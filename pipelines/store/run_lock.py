"""One run at a time: two in one database would delete each other's shards and mix their frames.

The lock is PostgreSQL's and ends with its holder's connection, so with the process, however that ends. It is also lost
if the server restarts; a run that survives the restart continues without it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from models.db import locks
from models.db.errors import PublicationRefused

POLL_SECONDS, MAX_WAIT_SECONDS = 1, 3600
WAITING_MESSAGE = "another run is going on, or an erasure: this one begins when that has ended"
TIMEOUT_MESSAGE = (
    "another run has been going on for too long, so this one has ended; see what holds that up, then run this again"
)


@contextmanager
def try_run_lock(engine: Engine) -> Iterator[bool]:
    """Whether no run is going on; if so, none begins for the length of the block."""
    with locks.try_acquire(engine, locks.RUN) as free:
        yield free


@contextmanager
def exclusive_run(engine: Engine, say: Callable[[str], None]) -> Iterator[None]:
    """The block once no run is going on, and then as the only one.

    Says once that it waits. Raises PublicationRefused if it has waited for an hour.
    """
    start, waits = time.monotonic(), False
    while True:
        with try_run_lock(engine) as free:
            if free:
                yield
                return
        if time.monotonic() - start > MAX_WAIT_SECONDS:
            raise PublicationRefused(TIMEOUT_MESSAGE)
        if not waits:
            say(WAITING_MESSAGE)
        waits = True
        time.sleep(POLL_SECONDS)
