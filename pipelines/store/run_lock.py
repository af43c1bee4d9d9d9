"""The run lock: one run at a time uses a database, because two would delete each other's shards and mix their frames.

PostgreSQL holds the lock. It ends with the connection of its holder, and so with the process, however that ends. It is
also lost if the server restarts; a run that survives the restart continues without it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from models.db import locks
from models.db.errors import PublicationRefused

POLL_SECONDS, MAX_WAIT_SECONDS = 1, 3600
WAITING_MESSAGE = "another run or an erasure is in progress; this run starts when it has ended"
TIMEOUT_MESSAGE = (
    "another run has held the run lock for an hour, so this run stops; find out what holds it up, then run this again"
)


@contextmanager
def try_run_lock(engine: Engine) -> Iterator[bool]:
    """Try to acquire the run lock for the block, and yield whether it was free. Without the lock no run can start."""
    with locks.try_acquire(engine, locks.RUN) as free:
        yield free


@contextmanager
def exclusive_run(engine: Engine, say: Callable[[str], None]) -> Iterator[None]:
    """Wait for the run lock, and hold it for the block.

    Args:
        engine: The database.
        say: Called once, with a message, if the lock is not free.

    Raises:
        PublicationRefused: The lock was not free for an hour.
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
