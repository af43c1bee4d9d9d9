"""The lock that allows one `matching ui` per Dagster instance. Two daemons would run every schedule twice."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from models.db.errors import InputError

MAX_WAIT_SECONDS = 60


@contextmanager
def hold_ui_lock(home: Path, address: str) -> Iterator[None]:
    """Hold the lock of the instance in `home`, for this process and those it starts.

    If the previous holder was killed, its child processes are about to end; the lock waits for them up to
    MAX_WAIT_SECONDS.

    Args:
        home: Folder of the Dagster instance.
        address: Address of this Dagster, for the error of others.

    Raises:
        InputError: Another process holds the lock; the message contains its address.
    """
    lock = os.open(home / "ui.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(lock)
        os.set_inheritable(lock, True)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {address}".encode(), 0)
        yield
    finally:
        os.close(lock)


def _acquire(lock: int) -> None:
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, address = os.pread(lock, 200, 0).decode(errors="replace").partition(" ")
            if psutil.pid_exists(int(pid or 0)) or time.monotonic() > deadline:
                raise InputError(
                    f"Dagster and MLflow run already for this home, at {address or 'an address of their own'} "
                    f"(process {pid or 'unknown'}); end them there with Ctrl-C"
                ) from None
        time.sleep(0.2)
