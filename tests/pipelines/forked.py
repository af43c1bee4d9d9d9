"""The command `matching` in a process forked from one that has imported everything, for tests that start it often."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from pipelines import cli

# Not from the process of the tests: it has threads, which a fork would leave halfway.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["pipelines.running", __name__])


@contextmanager
def forked(environment: Mapping[str, str], *words: str) -> Iterator[tuple[ForkServerProcess, Iterator[str]]]:
    """The running command, and its lines of stderr as they come; it is waited for at the end."""
    reader, writer = _server.Pipe(duplex=False)
    process = _server.Process(target=_matching, args=(dict(environment), words, writer))
    process.start()
    writer.close()
    with reader, open(reader.fileno(), encoding="utf-8", closefd=False) as said:
        yield process, said
        process.join(60)
    assert not process.is_alive()


def _matching(environment: Mapping[str, str], words: tuple[str, ...], stderr: Connection) -> None:
    os.dup2(stderr.fileno(), sys.stderr.fileno())
    stderr.close()
    os.environ |= environment
    sys.argv = ["matching", *words]
    cli.main()
