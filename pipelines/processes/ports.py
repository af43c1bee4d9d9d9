"""Checks that TCP ports on this machine are free before a server takes them."""

import errno
import socket

import psutil

from models.db.errors import InputError

HOST = "127.0.0.1"
MAX_PORT = 65535
DAGSTER_PORT, MLFLOW_PORT, API_PORT, NOTEBOOKS_PORT, EXAMPLE_PORT = 3000, 5000, 8000, 8888, 5173
"""The default ports."""
DAGSTER_URL = f"http://{HOST}:{DAGSTER_PORT}"
"""Where `matching ui` serves Dagster unless it is given a port."""


def find_free() -> int:
    """Return a port that no server listens on."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def require_free(port: int, option: str) -> None:
    """Raise InputError if no server can listen on `port`. The message names `option`, which chooses another port."""
    if not 1 <= port <= MAX_PORT:
        raise InputError(f"{option} {port} is no port; choose one from 1 to {MAX_PORT}")
    try:
        with socket.create_server((HOST, port)):
            return
    except PermissionError:
        raise InputError(f"port {port} is for root only; choose another with {option}, 1024 or higher") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    raise InputError(f"port {port} is in use{_describe_holder(port)}; end that, or choose another with {option}")


def _describe_holder(port: int) -> str:
    """Return " by" and the process that listens on `port`, or an empty string if it is not visible to this user."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
