"""Child processes that must end with this process, including all processes that they start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

TERMINATION_SECONDS = 20
# Reads until the pipe closes, which happens however this process ends. Dagster ignores SIGTERM while it starts.
GUARD = 'read _; kill -TERM "-$0" 2>/dev/null && sleep "$1" && kill -KILL "-$0" 2>/dev/null'


def stop_on_signals() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, also where a shell made this process ignore it, and SIGTERM exit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


@contextmanager
def run_process(
    command: list[str], environment: Mapping[str, str], folder: Path | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a command in `folder` until the end of the block, and end it with all processes that it started."""
    # In a separate session, Ctrl-C does not reach it, so it can be stopped in order. It inherits locks.
    process = subprocess.Popen(  # noqa: S603 - our own commands
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True, close_fds=False
    )
    try:
        with end_with_this_process(process.pid):
            yield process
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave processes behind
        end_group(process)


@contextmanager
def end_with_this_process(group: int, seconds: float = TERMINATION_SECONDS) -> Iterator[None]:
    """End the process group if this process is killed within the block; kill it if it does not end in these seconds."""
    command = ["/bin/sh", "-c", GUARD, str(group), str(seconds)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def end_group(leader: "subprocess.Popen[bytes]") -> None:
    """Terminate the leader of a process group, then the rest of the group; kill those that do not end in time."""
    leader.terminate()
    with suppress(subprocess.TimeoutExpired):
        leader.wait(TERMINATION_SECONDS)
    for sign, seconds in ((signal.SIGTERM, TERMINATION_SECONDS), (signal.SIGKILL, 1)):
        deadline = time.monotonic() + seconds
        while members := _find_members(leader.pid):
            for process in members:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(sign)
            psutil.wait_procs(members, timeout=1)
            if time.monotonic() > deadline:
                break
    leader.wait()


def _find_members(group: int) -> list[psutil.Process]:
    """Return the living processes of a process group. Zombies are skipped, since their parents may never reap them."""
    return [process for process in psutil.process_iter(["status"]) if _is_member(process, group)]


def _is_member(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
        return False
