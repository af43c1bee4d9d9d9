"""Alerts: a message to the webhook MATCHING_ALERT_URL when a run fails or the live publication is too old.

The message names the job, the step and the run, and no more: what an error says stays in Dagster.
"""

from collections.abc import Sequence

import dagster as dg
import httpx2

from pipelines.processes.ports import DAGSTER_URL

TIMEOUT_SECONDS = 10
FRESHNESS_CHECK = "publication_freshness"
ON, OFF = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED


def build_alerts(url: str | None) -> Sequence[dg.SensorDefinition]:
    """Build the sensors that send alerts to a webhook; without one they are off.

    The webhook takes a POST of `{"text": ...}` as JSON, as those of chat services do.
    """
    status = ON if url else OFF

    @dg.run_failure_sensor(
        name="failed_run_alert",
        default_status=status,
        monitor_all_code_locations=True,
        description="Sends a message to MATCHING_ALERT_URL for each failed run.",
    )
    def failed_run_alert(context: dg.RunFailureSensorContext) -> None:
        steps = ", ".join(event.step_key for event in context.get_step_failure_events() if event.step_key)
        run = context.dagster_run
        send_alert(url, f"{run.job_name} failed{f' in {steps}' if steps else ''}: {DAGSTER_URL}/runs/{run.run_id}")

    @dg.run_status_sensor(
        name="stale_publication_alert",
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        description=f"Sends a message to MATCHING_ALERT_URL when the check {FRESHNESS_CHECK} does not pass.",
    )
    def stale_publication_alert(context: dg.RunStatusSensorContext) -> None:
        for said in explain_failed_check(context.instance, context.dagster_run.run_id):
            send_alert(url, f"{said}: {DAGSTER_URL}/runs/{context.dagster_run.run_id}")

    return [failed_run_alert, stale_publication_alert]


def explain_failed_check(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return what the check of the publication's age says in a run if it did not pass."""
    logged = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.dagster_event.asset_check_evaluation_data for entry in logged if entry.dagster_event]
    return [str(each.description) for each in found if each.check_name == FRESHNESS_CHECK and not each.passed]


def send_alert(url: str | None, message: str) -> None:
    """Post a message to the webhook.

    Raises:
        httpx2.HTTPError: It does not answer, or with an error. Dagster shows that at the sensor's tick.
    """
    if url:
        httpx2.post(url, json={"text": message}, timeout=TIMEOUT_SECONDS).raise_for_status()
