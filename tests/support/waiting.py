"""Waiting for other processes, and ports for them."""

import socket
import time
from collections.abc import Callable


def until(condition: Callable[[], object], seconds: float = 600) -> None:
    """Wait until the condition holds; the limit only ends a test that hangs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
