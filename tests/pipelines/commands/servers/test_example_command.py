"""The command of the example app: the page, its way to the backend, and the end of both by Ctrl-C."""

from pathlib import Path

import httpx2

from tests.pipelines.commands.servers.test_ui import answers, interrupt, started
from tests.pipelines.conftest import Place
from tests.serving.client.conftest import client, node
from tests.support.waiting import free_port, until

__all__ = ["client", "node"]


def test_ctrl_c_ends_the_example_and_its_backend(place: Place, client: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    with started(place, "example", "--port", port) as process:
        until(lambda: process.poll() is not None or (answers(url) and answers(f"{url}/backend/people")))
        assert httpx2.get(f"{url}/backend/people").json() == []
        interrupt(process, place.home / "log")


def test_no_example_where_anybody_could_be_anybody(place: Place, client: Path) -> None:
    secret = {"MATCHING_ENV": "production", "MATCHING_JWT_SECRET": "0123456789abcdef0123456789abcdef"}
    with started(place, "example", "--port", free_port(), **secret) as process:
        assert process.wait(120) == 2
    log = (place.home / "log").read_text()
    assert "MATCHING_ENV is production" in log
    assert "Traceback" not in log
