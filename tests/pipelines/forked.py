"""The command `matching` in a process forked from one that has imported everything, for tests that start it often."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines import cli

# Not from the process of the tests: it has threads, which a fork would leave halfway.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["pipelines.commands.run_pipeline", __name__])


@contextmanager
def forked(environment: Mapping[str, str], *words: str) -> Iterator[tuple[ForkServerProcess, Iterator[str]]]:
    """The running command, and its lines of stderr as they come; it is waited for at the end."""
    reader, writer = _server.Pipe(duplex=False)
    process = _server.Process(target=_run_with_a_pipe, args=(writer, dict(environment), words))
    process.start()
    writer.close()
    with reader, open(reader.fileno(), encoding="utf-8", closefd=False) as said:
        try:
            yield process, said
        except BaseException:
            process.kill()  # it would write to the database of the tests that come next
            raise
        finally:
            process.join(300)
    assert not process.is_alive()


def finished(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command after its end."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _server.Process(target=_run_with_files, args=(out, err, dict(environment), words))
        process.start()
        process.join(900)
        process.kill()
        process.join()
        return subprocess.CompletedProcess(words, process.exitcode or 0, out.read_text(), err.read_text())


def _run_with_a_pipe(stderr: Connection, environment: dict[str, str], words: tuple[str, ...]) -> None:
    os.dup2(stderr.fileno(), sys.stderr.fileno())
    stderr.close()
    _run_command(environment, words)


def _run_with_files(out: Path, err: Path, environment: dict[str, str], words: tuple[str, ...]) -> None:
    with out.open("w") as stdout, err.open("w") as stderr:
        os.dup2(stdout.fileno(), sys.stdout.fileno())
        os.dup2(stderr.fileno(), sys.stderr.fileno())
    _run_command(environment, words)


def _run_command(environment: dict[str, str], words: tuple[str, ...]) -> None:
    os.environ.clear()
    os.environ |= environment
    sys.argv = ["matching", *words]
    cli.main()
