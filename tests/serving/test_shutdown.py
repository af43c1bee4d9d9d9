"""Told to stop, the API finishes what it began."""

import signal
import socket
import threading
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest

from tests.serving.conftest import ENDED_IN_ORDER, Api, Town, serving


def test_a_request_in_flight_is_answered_first(api_database: str, town: Town, tmp_path: Path) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    with serving(api_database, tmp_path / "log") as api:
        assert api.shown(me) == [he]
        answers: list[httpx2.Response] = []
        asking = threading.Thread(target=lambda: answers.append(api.matches(me)))
        with town.connection.transaction():
            town.run("LOCK TABLE matching.match_lists IN ACCESS EXCLUSIVE MODE")
            asking.start()
            wait_for_the_lock(town)
            api.process.send_signal(signal.SIGTERM)
            refuses_connections(api)
            assert api.process.poll() is None
        asking.join()
        assert [answer.status_code for answer in answers] == [200]
        assert answers[0].headers["connection"] == "close"
        assert api.process.wait(timeout=20) in ENDED_IN_ORDER
    log = api.log.read_text()
    assert log.index('"status": 200') < log.index("Application shutdown complete.")
    assert "error" not in [line["level"] for line in api.log_lines()]


def wait_for_the_lock(town: Town) -> None:
    waiting = "SELECT FROM pg_stat_activity WHERE application_name = 'delete-serving' AND wait_event_type = 'Lock'"
    deadline = monotonic() + 1.5
    while town.connection.execute(waiting.encode()).fetchone() is None:
        assert monotonic() < deadline, "the request never got as far as the table"
        sleep(0.01)


def refuses_connections(api: Api) -> None:
    """Whoever balances load sees at once that it has to go elsewhere."""
    port = int(str(api.client.base_url.port))
    deadline = monotonic() + 1.5
    while monotonic() < deadline:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)):
                return
        sleep(0.01)
    pytest.fail("still takes connections")
