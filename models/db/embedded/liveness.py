"""Detect whether a PostgreSQL server is alive in a data folder, by kernel state and by connecting, never by a PID file.

The PID in a file may belong to a zombie or to an unrelated process. Reliable signs are used instead. All processes of a
server inherit a lock on its data folder, which is released when the last of them ends. A server that accepts
connections answers a ping. The kernel knows which process listens on the socket.
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
    """Return an open file that holds the lock, for the server's processes to inherit.

    Returns None while a process of an earlier server is alive.
    """
    lock = os.open(data / "PG_VERSION", os.O_RDONLY)  # this file always exists
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def has_no_processes(data: Path) -> bool:
    """Return whether no process of a server that shares the lock is alive."""
    lock = take_lock(data)
    if lock is not None:
        os.close(lock)
    return lock is not None


def read_address(data: Path) -> tuple[str, str]:
    """Return the socket folder and the port that the last server of `data` recorded, or empty strings."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return "", ""
    return (lines[4], lines[3]) if len(lines) > 4 and lines[4].startswith("/") and lines[3].isdecimal() else ("", "")


def ping_server(data: Path) -> Ping:
    """Return the state of the server: OK, REJECT while it starts up or shuts down, or NO_RESPONSE."""
    host, port = read_address(data)
    if not host:
        return Ping.NO_RESPONSE
    target = make_conninfo(host=host, port=port, user="postgres", dbname="postgres", connect_timeout=5)
    return Ping(PGconn.ping(target.encode()))


def find_listener(data: Path) -> int | None:
    """Return the PID of the process that listens on the server's socket according to the kernel, or None.

    The PID is 0 if the process runs in a container whose processes are not visible here.
    """
    host, port = read_address(data)
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(f"{host}/.s.PGSQL.{port}")
        except (ConnectionError, FileNotFoundError):
            return None
        return int.from_bytes(client.getsockopt(*PEER_PID, 4), sys.byteorder)
