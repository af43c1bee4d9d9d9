"""The command `matching` in a process forked from one that has imported everything, for tests that kill it."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines import cli
from tests.support.unsynced import stop_syncing

# Not from the process of the tests: it has threads, which a fork would leave halfway.
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["pipelines.commands.run_pipeline", __name__])


@contextmanager
def forked(environment: Mapping[str, str], *words: str) -> Iterator[tuple[ForkServerProcess, Path, Path]]:
    """The running command, and the files of its stdout and stderr; it is killed at the end of the block."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        out.touch()
        err.touch()
        process = _server.Process(target=_run, args=(out, err, dict(environment), words))
        process.start()
        try:
            yield process, out, err
        finally:
            process.kill()
            process.join()


def _run(out: Path, err: Path, environment: dict[str, str], words: tuple[str, ...]) -> None:
    with out.open("w") as stdout, err.open("w") as stderr:
        os.dup2(stdout.fileno(), sys.stdout.fileno())
        os.dup2(stderr.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ |= environment
    sys.argv = ["matching", *words]
    stop_syncing()
    cli.main()
