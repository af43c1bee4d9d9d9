"""What `matching ui` starts: Dagster, and MLflow where there is no server of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
from rich.console import Console

from models.db.settings import Settings
from pipelines.commands import ui
from tests.pipelines.processes.test_ports import free_port


class EmptyMlflow(BaseHTTPRequestHandler):
    """A server of MLflow's interface that knows of nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is none"}).encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not a line a request."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an MLflow server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyMlflow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the programs that were started; each ends at once."""
    names: list[str] = []

    @contextmanager
    def running(command: list[str], environment: object) -> Iterator[SimpleNamespace]:
        names.append(command[2])
        yield SimpleNamespace(wait=lambda: None)

    monkeypatch.setattr(ui, "_run_process", running)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return names


def test_mlflow_is_started_beside_dagster(
    started: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, mlflow_port = free_port(), free_port()
    ui.run_interfaces(Settings(home=tmp_path), Console(), port, mlflow_port)
    assert started == ["mlflow", "dagster"]
    assert f"MLflow:  http://127.0.0.1:{mlflow_port}" in capsys.readouterr().out


def test_where_mlflow_is_a_server_it_is_named_and_no_other_started(
    started: list[str], server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MLflow refuses to be the store of itself, with a traceback."""
    ui.run_interfaces(Settings(home=tmp_path, mlflow_tracking_uri=server), Console(), free_port())
    assert started == ["dagster"]
    assert f"MLflow:  {server}\n" in capsys.readouterr().out
