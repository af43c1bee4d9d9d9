"""A real PgBouncer that lends the sessions of a database by the transaction."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url

# Debian keeps it where only root's PATH leads.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooled(database_url: str, sessions: int) -> Iterator[str]:
    """The URL of the database behind a pooler that has so many sessions in it, for all of its clients together."""
    if PROGRAM is None:
        pytest.skip("no pgbouncer here; install Debian's pgbouncer")
    url = make_url(database_url)
    host = str(url.query.get("host", url.host))
    with TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        home = Path(folder)
        home.chmod(0o755)
        (home / "users").write_text(f'"{url.username}" "{url.password or ""}"\n')
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={host} port={url.query.get('port', url.port) or 5432}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {home / 'users'}\n"
            f"pool_mode = transaction\ndefault_pool_size = {sessions}\n"
        )
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                [PROGRAM, *_as_user(host), str(home / "pgbouncer.ini")], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            here = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
            _await(here, process, home / "log")
            yield here
        finally:
            process.terminate()
            process.wait(timeout=20)


def _as_user(host: str) -> list[str]:
    """As root, which it refuses to run as, it runs as who may reach the server's socket."""
    if os.geteuid() != 0:
        return []
    owner = Path(host).stat().st_uid if host.startswith("/") else 0
    return ["-u", pwd.getpwuid(owner).pw_name if owner else "nobody"]


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while True:
        try:
            psycopg.connect(convert_to_libpq_url(url)).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return
