"""Load on a server of this machine, from a process of its own: keep-alive connections that ask one thing after another.

Raw sockets under uvloop take some 30 µs of CPU time a request, so that the server is what is measured.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from multiprocessing import get_context
from random import Random
from typing import NamedTuple, cast

import uvloop

from models.db.settings import Settings
from models.db.tokens import issue_token
from tests.bench.api_server import SECRET
from tests.bench.api_town import PAUSED_ONE_IN, viewer_of

CONNECTIONS = 16
SILENT_SECONDS = 30  # past the end: by then everybody has an answer
TOKEN_LIFETIME = timedelta(hours=3)


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes


Conversation = Generator[bytes, Answer]
"""What one connection says: it yields requests and is sent their answers."""


@dataclass(frozen=True)
class Measured:
    """What a load saw; latencies in milliseconds."""

    answers: int
    seconds: float
    p50: float
    p99: float
    failed: int
    """Answers that were not 200."""
    client_cpu: float
    """CPU time of the load itself, as a share of one core: near 1, it would have measured itself."""

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, conversation: Conversation, deadline: float, seen: Callable[[float, Answer], None]) -> None:
        self.conversation = conversation
        self.deadline = deadline
        self.seen = seen
        self.buffer = bytearray()
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._ask(next(self.conversation))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        answer = _whole(self.buffer)
        if answer is None:
            return
        self.buffer.clear()
        now = time.perf_counter()
        self.seen(now - self.asked_at, answer)
        following = self.conversation.send(answer)
        self._ask(following) if now < self.deadline else self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if exc or time.perf_counter() < self.deadline:
            self.done.set_exception(exc or ConnectionError("the server hung up"))
        else:
            self.done.set_result(None)

    def _ask(self, request: bytes) -> None:
        self.asked_at = time.perf_counter()
        self.transport.write(request)


def _whole(received: bytearray) -> Answer | None:
    """The answer, once all of it is there."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return Answer(int(head[9:12]), bytes(body)) if len(body) == length else None


def request(path: str, token: str, *headers: str) -> bytes:
    """The bytes that ask for a path."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@cache
def tokens(people: int) -> tuple[str, ...]:
    """A token for each person who is not paused."""
    settings = Settings(jwt_secret=SECRET)
    numbers = (number for number in range(1, people + 1) if number % PAUSED_ONE_IN != 1)
    return tuple(issue_token(settings, viewer_of(number), TOKEN_LIFETIME) for number in numbers)


def at_random(path: str, people: int, headers: tuple[str, ...], rng: Random) -> Conversation:
    """The same path for one random viewer after another."""
    while True:
        yield request(path, rng.choice(tokens(people)), *headers)


async def hold(
    port: int, conversations: Iterator[Conversation], seconds: float, seen: Callable[[float, Answer], None]
) -> None:
    """Hold these conversations at once. Raises what one of them raises, and OSError if the server hangs up."""
    loop, deadline = asyncio.get_running_loop(), time.perf_counter() + seconds
    connections = [
        (await loop.create_connection(partial(_Connection, each, deadline, seen), "127.0.0.1", port))[1]
        for each in conversations
    ]
    async with asyncio.timeout(seconds + SILENT_SECONDS):
        await asyncio.gather(*(connection.done for connection in connections))


def measure(port: int, path: str, people: int, seconds: float, headers: tuple[str, ...] = ()) -> Measured:
    """Ask for a path as random viewers over 16 connections, and take the time."""
    tokens(people)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()

    def seen(latency: float, answer: Answer) -> None:
        latencies.append(latency)
        statuses[answer.status] += 1

    asking = (at_random(path, people, headers, Random(number)) for number in range(CONNECTIONS))  # noqa: S311 -- the same people each time
    started, worked = time.perf_counter(), time.process_time()
    uvloop.run(hold(port, asking, seconds, seen))
    taken, worked = time.perf_counter() - started, time.process_time() - worked
    latencies.sort()
    p50, p99 = (1000 * latencies[int(share * len(latencies))] for share in (0.5, 0.99))
    return Measured(len(latencies), taken, p50, p99, len(latencies) - statuses[200], worked / taken)


def process() -> ProcessPoolExecutor:
    """A process for the load, apart from whoever else measures."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
