"""Alerts at a real webhook: what is sent, when, and that nobody's data is in it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import httpx2
import pytest

from pipelines.reports.alerts import build_alerts, explain_failed_check, send_alert

SECRET = "ada@example.org likes ben"


class Webhook(HTTPServer):
    """Keeps the texts that it is sent; answers with `status`."""

    status = 204

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.texts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Receiver(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.texts.append(body["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dg.asset
def broken() -> None:
    raise ValueError(SECRET)


@dg.asset
def lists() -> None: ...


@dg.asset_check(asset=lists)
def publication_freshness() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="publication 7 has been live for 51.0 hours")


FAILING = dg.define_asset_job("failing", selection=dg.AssetSelection.assets(broken))
FRESHNESS = dg.define_asset_job("freshness", selection=dg.AssetSelection.checks(publication_freshness))
DEFINITIONS = dg.Definitions(assets=[broken, lists], asset_checks=[publication_freshness], jobs=[FAILING, FRESHNESS])


def call(sensor: dg.SensorDefinition, job: str, instance: dg.DagsterInstance, event: dg.DagsterEventType) -> str:
    """Let a sensor see the end of a run of a job; the id of the run."""
    result = DEFINITIONS.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)
    last = next(each for each in reversed(result.all_events) if each.event_type == event)
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_event=last, dagster_instance=instance, dagster_run=result.dagster_run
    )
    if event == dg.DagsterEventType.RUN_FAILURE:
        context = context.for_run_failure()
    sensor(context)
    return result.run_id


def test_a_failed_run_is_told_without_its_error(webhook: Webhook) -> None:
    failed, _ = build_alerts(webhook.url)
    with dg.DagsterInstance.ephemeral() as instance:
        run = call(failed, "failing", instance, dg.DagsterEventType.RUN_FAILURE)
    (told,) = webhook.texts
    assert "failing failed in broken" in told
    assert told.endswith(f"/runs/{run}")
    assert SECRET not in told


def test_a_stale_publication_is_told(webhook: Webhook) -> None:
    _, stale = build_alerts(webhook.url)
    with dg.DagsterInstance.ephemeral() as instance:
        run = call(stale, "freshness", instance, dg.DagsterEventType.RUN_SUCCESS)
        assert explain_failed_check(instance, run) == ["publication 7 has been live for 51.0 hours"]
    (told,) = webhook.texts
    assert "live for 51.0 hours" in told


def test_without_a_webhook_the_sensors_are_off() -> None:
    assert {each.default_status for each in build_alerts(None)} == {dg.DefaultSensorStatus.STOPPED}
    assert {each.default_status for each in build_alerts("http://there")} == {dg.DefaultSensorStatus.RUNNING}


def test_a_webhook_that_refuses_is_an_error_of_the_tick(webhook: Webhook) -> None:
    webhook.status = 500
    with pytest.raises(httpx2.HTTPStatusError):
        send_alert(webhook.url, "hello")
