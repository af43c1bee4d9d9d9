"""Child processes that must end with this process, including all processes that they start."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

TERMINATION_SECONDS = 20
# Reads until the pipe closes, which happens however this process ends. Dagster ignores SIGTERM while it starts.
GUARD = 'read _; kill -TERM "-$0" 2>/dev/null && sleep "$1" && kill -KILL "-$0" 2>/dev/null'


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
