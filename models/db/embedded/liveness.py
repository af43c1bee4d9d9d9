"""Whether a PostgreSQL server lives in a data folder, told by the kernel and by the server, never by a PID in a file.

A zombie or a stranger may bear that PID. But every process of a server inherits a lock on its data folder, which is
free once the last of them is gone; a server accepts connections when it answers one; and who listens is known.
"""

import fcntl
import os
import socket
import sys
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

# The socket option for the PID at the other end; on macOS these numbers are SOL_LOCAL and LOCAL_PEERPID.
PEER_PID = (socket.SOL_SOCKET, socket.SO_PEERCRED) if sys.platform == "linux" else (0, 2)


def take_lock(data: Path) -> int | None:
    """The open lock to share with a server's processes, or None while one of an earlier server lives."""
    lock = os.open(data / "PG_VERSION", os.O_RDONLY)  # a file that is always there
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def has_no_processes(data: Path) -> bool:
    """Whether no process of a server that shares the lock lives."""
    lock = take_lock(data)
    if lock is not None:
        os.close(lock)
    return lock is not None


def read_address(data: Path) -> tuple[str, str]:
    """The socket folder and the port that the last server of `data` wrote down; empty if it did not."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "", ""
    return (lines[4], lines[3]) if len(lines) > 4 and lines[4].startswith("/") and lines[3].isdecimal() else ("", "")


def ping_server(data: Path) -> Ping:
    """What the server says to a connection: OK, REJECT while it starts up or shuts down, or NO_RESPONSE."""
    host, port = read_address(data)
    if not host:
        return Ping.NO_RESPONSE
    target = make_conninfo(host=host, port=port, user="postgres", dbname="postgres", connect_timeout=5)
    return Ping(PGconn.ping(target.encode()))


def find_listener(data: Path) -> int | None:
    """The PID of the postmaster, as the kernel knows who listens on the server's socket; None if nobody does.

    It is 0 if that process is in a container whose processes cannot be seen from here.
    """
    host, port = read_address(data)
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(f"{host}/.s.PGSQL.{port}")
        except (ConnectionError, FileNotFoundError):
            return None
        return int.from_bytes(client.getsockopt(*PEER_PID, 4), sys.byteorder)
