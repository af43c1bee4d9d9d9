"""The commands that serve pages: taken ports and wrong ones, one at a time, and the end by Ctrl-C or by a kill."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from models.db.schema.migrations import ROOT
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.forked import finished

MATCHING = Path(sys.prefix, "bin", "matching")
SECONDS = 240
OPTIONS = [
    ("ui", "--port"),
    ("ui", "--mlflow-port"),
    ("serve", "--port"),
    ("notebooks", "--port"),
    ("example", "--port"),
]
# Holds the lock as `matching ui` does, and has a child that inherits it.
UI_WITH_A_CHILD = """
import subprocess, sys, time
from pathlib import Path
from pipelines.processes.process_groups import end_with_this_process
from pipelines.commands.ui_lock import hold_ui_lock

with hold_ui_lock(Path(sys.argv[1]), "http://127.0.0.1:3000"):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True, close_fds=False)
    with end_with_this_process(child.pid):
        print(child.pid, flush=True)
        time.sleep(600)
"""
TAKE_THE_LOCK = """
import sys
from pathlib import Path
from pipelines.commands.ui_lock import hold_ui_lock

with hold_ui_lock(Path(sys.argv[1]), "http://127.0.0.1:3001"):
    print("held")
"""


@pytest.fixture
def place(databases: Databases, tmp_path: Path) -> Iterator[Place]:
    with databases() as url:
        yield Place(tmp_path, url)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def started(place: Place, *words: object) -> Iterator[subprocess.Popen[str]]:
    """The command in a process group of its own, as a terminal starts it."""
    command = [str(MATCHING), *map(str, words)]
    log = (place.home / "log").open("w")
    with (
        log,
        subprocess.Popen(
            command, env=place.environment, start_new_session=True, stdout=log, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=30).is_success
    except httpx2.TransportError:
        return False


def interrupt(process: subprocess.Popen[str], log: Path) -> None:
    """Press Ctrl-C: it ends well and quietly, and nothing that it started is left."""
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(SECONDS) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert psutil.wait_procs(family, timeout=SECONDS)[1] == []


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_taken_port_is_refused_in_a_line_that_names_its_holder(place: Place, command: str, option: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as held:  # noqa: S104 - a server for all addresses holds it as well
        port = held.getsockname()[1]
        done = finished(place.environment, command, option, str(port))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert str(port) in line
    assert f"process {os.getpid()}" in line
    assert option in line


@pytest.mark.parametrize("port", [0, -1, 65_536])
@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_port_out_of_range_is_refused_in_a_line(place: Place, command: str, option: str, port: int) -> None:
    done = finished(place.environment, command, option, str(port))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert f"{option} {port}" in done.stderr


def test_dagster_and_mlflow_need_two_ports(place: Place) -> None:
    port = str(free_port())
    done = finished(place.environment, "ui", "--port", port, "--mlflow-port", port)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


def test_ctrl_c_ends_the_api(place: Place) -> None:
    port = free_port()
    with started(place, "serve", "--port", port) as process:
        wait_for(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/livez"))
        interrupt(process, place.home / "log")


def test_one_ui_for_a_home_and_ctrl_c_ends_all_of_it(place: Place) -> None:
    port, mlflow_port = free_port(), free_port()
    with started(place, "ui", "--port", port, "--mlflow-port", mlflow_port) as process:
        for each in (port, mlflow_port):
            wait_for(lambda each=each: process.poll() is not None or answers(f"http://127.0.0.1:{each}"))  # type: ignore[misc]
        second = finished(place.environment, "ui", "--port", str(free_port()), "--mlflow-port", str(free_port()))
        assert (second.returncode, len(second.stderr.splitlines())) == (2, 1), second.stderr
        assert f"http://127.0.0.1:{port}" in second.stderr
        interrupt(process, place.home / "log")


def test_what_a_killed_ui_started_ends_and_does_not_block_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UI_WITH_A_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as killed:
        assert killed.stdout is not None
        child = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
    taken = subprocess.run(
        [sys.executable, "-c", TAKE_THE_LOCK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert taken.stdout == "held\n", taken.stderr
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
