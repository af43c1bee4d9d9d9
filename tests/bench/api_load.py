"""Load on a server of this machine: keep-alive connections that ask again and again."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random

import uvloop

from models.db.settings import Settings
from models.db.tokens import issue_token
from tests.bench.api_population import PAUSED_ONE_IN, viewer_of
from tests.bench.api_server import CONNECTIONS, SECRET
from tests.bench.figures import Figures

SILENT_SECONDS = 30  # past the end: by then every request has a response
TOKEN_LIFETIME = timedelta(hours=3)


@dataclass
class Connection:
    """One keep-alive connection, and its random numbers."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    rng: Random

    async def get(self, path: str, token: str, *headers: str) -> tuple[int, bytes]:
        """The status and body of a response. Raises EOFError if the server hangs up."""
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", *headers]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(length)


@cache
def tokens(people: int) -> tuple[str, ...]:
    """A token for each user who is not paused."""
    settings = Settings(jwt_secret=SECRET)
    numbers = (number for number in range(1, people + 1) if number % PAUSED_ONE_IN != 1)
    return tuple(issue_token(settings, viewer_of(number), TOKEN_LIFETIME) for number in numbers)


def hold(port: int, seconds: float, once: Callable[[Connection], Awaitable[None]]) -> None:
    """Do `once` again and again on each of 16 connections, all at once, for so long."""
    uvloop.run(_hold(port, seconds, once))


async def _hold(port: int, seconds: float, once: Callable[[Connection], Awaitable[None]]) -> None:
    deadline = time.perf_counter() + seconds

    async def keep_asking(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection = Connection(reader, writer, Random(number))  # noqa: S311 -- the same viewers each time
        try:
            while time.perf_counter() < deadline:
                await once(connection)
        finally:
            writer.close()

    async with asyncio.timeout(seconds + SILENT_SECONDS):
        await asyncio.gather(*(keep_asking(number) for number in range(CONNECTIONS)))


def measure(port: int, path: str, people: int, seconds: float, headers: tuple[str, ...] = ()) -> Figures:
    """Ask for a path as random viewers, and take the time. Raises RuntimeError if a response is not 200.

    "load's CPU" is a share of one core: near 1, the load would have measured itself.
    """
    every_token, latencies = tokens(people), list[float]()

    async def once(connection: Connection) -> None:
        asked_at = time.perf_counter()
        status, body = await connection.get(path, connection.rng.choice(every_token), *headers)
        latencies.append(time.perf_counter() - asked_at)
        if status != 200:
            raise RuntimeError(f"{path} answers {status}: {body[:200]!r}")

    started, worked = time.perf_counter(), time.process_time()
    hold(port, seconds, once)
    taken, worked = time.perf_counter() - started, time.process_time() - worked
    latencies.sort()
    p50, p99 = (1000 * latencies[int(share * len(latencies))] for share in (0.5, 0.99))
    rate = len(latencies) / taken
    found = {"answers/s": rate, "p50 ms": p50, "p99 ms": p99, "p99/p50": p99 / p50, "load's CPU": worked / taken}
    return found | {"answers": len(latencies)}
