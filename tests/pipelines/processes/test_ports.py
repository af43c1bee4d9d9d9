"""Ports that are taken or none."""

import os
import socket

import pytest

from models.db.errors import InputError
from pipelines.processes.ports import require_free
from tests.pipelines.conftest import Place

OPTIONS = [
    ("ui", "--port"),
    ("ui", "--mlflow-port"),
    ("serve", "--port"),
    ("notebooks", "--port"),
    ("example", "--port"),
]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_a_taken_port_is_refused_with_its_holder(place: Place, command: str, option: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as held:  # noqa: S104 - a server for all addresses holds it as well
        port = held.getsockname()[1]
        done = place.command(command, option, str(port))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert str(port) in line
    assert f"process {os.getpid()}" in line
    assert option in line


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(InputError, match=f"--port {port} "):
        require_free(port, "--port")
