"""An orderly stop of the API finishes what it began."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.serving.conftest import ENDED_IN_ORDER, Api, Users, serving
from tests.support.waiting import until


def test_a_request_in_flight_is_finished_first(api_database: str, users: Users, tmp_path: Path) -> None:
    me, men = users.viewer()
    with serving(api_database, tmp_path / "log") as api, ThreadPoolExecutor() as threads:
        assert api.shown(me) == men
        with users.connection.transaction():
            users.lock_lists()
            asked = threads.submit(api.matches, me)
            until(users.waiting)
            api.process.send_signal(signal.SIGTERM)
            until(lambda: refuses_connections(api))
            assert api.process.poll() is None
        assert (asked.result().status_code, asked.result().headers["connection"]) == (200, "close")
        assert api.process.wait(timeout=20) in ENDED_IN_ORDER
    log = api.log.read_text()
    assert log.index('"status": 200') < log.index("Application shutdown complete.")
    assert "error" not in [line["level"] for line in api.log_lines()]


def refuses_connections(api: Api) -> bool:
    """So that a load balancer goes elsewhere at once."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", api.client.base_url.port)) != 0
