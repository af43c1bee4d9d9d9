"""Run one of the Dagster jobs in this process, recorded in the same instance that the Dagster UI shows."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import dagster as dg
from rich.table import Table
from sqlalchemy import Engine

from models.db.errors import CheckFailed, MatchingError
from models.db.publications import StoredPublication, get_live_publication
from models.db.settings import Settings
from pipelines.assets.ranker.retraining import TRAINING_TAG, TrainingDecision, decide_training
from pipelines.commands.run_origin import RUN_TAGS
from pipelines.definitions import NIGHTLY_JOB, build_definitions, build_registry, list_assets_without_training
from pipelines.reports.terminal.run_bar import open_progress
from pipelines.reports.terminal.run_summary import Reports, build_summary
from pipelines.store import run_history

INSTANCE = """\
# Written by `matching`. No usage data leaves this machine.
telemetry:
  enabled: false
nux:
  enabled: false
"""


def ensure_dagster_home(settings: Settings) -> Path:
    """Return the folder of Dagster's instance, DAGSTER_HOME or one under the home; create it if it is missing."""
    home = run_history.find_dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(INSTANCE)
    return home


def run_pipeline(settings: Settings, engine: Engine, say: Callable[[str], None], *, train: bool = False) -> Table:
    """Run the whole pipeline, with training if `train` is set or training is due. Raises the same as `run_job`.

    Args:
        settings: The settings.
        engine: The database.
        say: Called with the sentence that explains whether the run trains.
        train: Train the ranker even if that is not due.

    Returns:
        The summary: the live publication, and what changed since the one before.
    """
    with engine.connect() as connection:
        before = get_live_publication(connection)
        decided = (
            TrainingDecision(due=True, sentence="it was asked for")
            if train
            else decide_training(build_registry(settings), connection)
        )
    goes_on = f"  goes on with the champion; --train trains another ranker: {decided.sentence}"
    say(f"  trains the ranker: {decided.sentence}" if decided.due else goes_on)
    assets = None if decided.due else list_assets_without_training()
    run_job(settings, NIGHTLY_JOB, assets, tags={TRAINING_TAG: decided.sentence})
    return summarise_run(settings, engine, before)


def summarise_run(settings: Settings, engine: Engine, before: StoredPublication | None) -> Table:
    """Build the summary of a run: the live publication, and what changed since the one that was live before it.

    Raises:
        MatchingError: Nothing is live, because the publication was rolled back or removed since the run.
    """
    with engine.connect() as connection:
        live = get_live_publication(connection)
    if live is None:
        raise MatchingError("nothing is live any more: the publication of this run was removed; run this again")
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settings))) as instance:
        reports, reports_before = (_read_reports(instance, each) for each in (live, before))
    return build_summary(live, reports, before, reports_before)


def _read_reports(instance: dg.DagsterInstance, publication: StoredPublication | None) -> Reports:
    """Read what the assets reported in the run of a publication; nothing if Dagster does not know the run."""
    run_id = run_history.find_publishing_run(instance, publication.id) if publication else None
    return run_history.read_reports(instance, run_id) if run_id else {}


def run_job(
    settings: Settings,
    name: str,
    assets: Sequence[dg.AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
    config: Mapping[str, object] | None = None,
) -> None:
    """Run a job of the definitions once, all of it or only these assets; Dagster shows the tags with the run.

    `config` is the configuration of assets by name.

    Raises:
        CheckFailed: A check that blocks the publication failed.
        MatchingError: A step or a resource raised it; its message says what the user can do.
        DagsterError: Any other failure.
    """
    run_id = str(uuid4())
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settings))) as instance:

        def read_plan() -> tuple[frozenset[str], Mapping[str, float]]:
            planned = run_history.list_planned_steps(instance, run_id)
            return planned, run_history.measure_steps(instance, name, planned)

        try:
            with open_progress(read_plan) as logger:
                build_definitions(settings, logger).resolve_job_def(name).execute_in_process(
                    run_config={
                        "loggers": {"console": {"config": {}}},
                        "ops": {asset: {"config": each} for asset, each in (config or {}).items()},
                    },
                    instance=instance,
                    asset_selection=assets,
                    run_id=run_id,
                    tags={**RUN_TAGS, **(tags or {})},
                )
        except dg.DagsterError as error:
            if isinstance(error.__cause__, MatchingError):
                raise error.__cause__ from None
            if failed := _list_failed_checks(instance, run_id):
                raise CheckFailed(
                    f"nothing was published, as a check failed, {', '.join(failed)}: its line above says why, "
                    "and `make ui` shows it; fix the cause, then run this again"
                ) from error
            raise


def _list_failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return the blocking checks that failed with an error, as `asset: check`."""
    logged = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [entry.dagster_event.event_specific_data for entry in logged if entry.dagster_event]
    return [
        f"{check.asset_key.to_user_string()}: {check.check_name}"
        for check in checks
        if isinstance(check, dg.AssetCheckEvaluation)
        and check.blocking
        and not check.passed
        and check.severity is dg.AssetCheckSeverity.ERROR
    ]
