"""Show the state of an installation: database, live publication, champion, last run, and what is due."""

from datetime import UTC, datetime

import dagster as dg
from mlflow.exceptions import MlflowException
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, text

from models.db import embedded, locks
from models.db.engines import open_database
from models.db.errors import DatabaseUnavailable, InputError, MatchingError
from models.db.publications import get_live_publication
from models.db.settings import Settings
from pipelines.assets.ranker.retraining import COUNTS, TrainingDecision, decide_training
from pipelines.checks.publication_checks import STALE_WARNING
from pipelines.definitions import NIGHTLY_JOB, build_registry
from pipelines.reports.terminal import status_lines
from pipelines.reports.terminal.durations import format_age
from pipelines.reports.terminal.status_lines import DatabaseState, LastRun
from pipelines.store import run_history
from pipelines.store.registry.model_registry import ModelRegistry

NO_CHAMPION = "none yet; the first run trains one"


def show_status(settings: Settings, console: Console) -> None:
    """Print one row for each part of the installation. Nothing is created, started or changed.

    A part that cannot be read has a row that says why.

    Raises:
        InputError: A setting cannot be used.
    """
    rows = {name: " ".join(said.split()) for name, said in list_rows(settings, datetime.now(UTC)).items()}
    if not console.is_terminal:
        for name, sentence in rows.items():
            console.print(f"{name:<13}{sentence}", soft_wrap=True, highlight=False, markup=False)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    for name, sentence in rows.items():
        table.add_row(name, sentence)
    console.print(table)


def list_rows(settings: Settings, now: datetime) -> dict[str, str]:
    """List what `matching status` shows at a time: sentence by name of the part."""
    if settings.home.exists() and not settings.home.is_dir():
        raise InputError(f"MATCHING_HOME={settings.home} is not a folder; set it to one")
    registry = build_registry(settings)
    state = _read_database(settings, registry)
    return {
        "home": str(settings.home),
        "database": state.description,
        "publication": status_lines.describe_publication(state, now),
        "champion": _describe_champion(registry, now),
        "last run": status_lines.describe_last_run(_read_last_run(settings), state.is_busy, now),
        "due": status_lines.describe_due(state, now, STALE_WARNING),
    }


def _read_database(settings: Settings, registry: ModelRegistry) -> DatabaseState:
    where = "DATABASE_URL"
    try:
        if settings.database_url is None:
            if not (settings.home / "postgres" / "PG_VERSION").exists():
                return DatabaseState("none yet; `matching load` makes one", people=0, is_busy=False)
            if not embedded.is_running(settings.home):
                return DatabaseState("embedded, stopped; the next command that uses it starts it")
            where = "embedded, running"
        with open_database(settings) as engine, engine.connect() as connection:
            return _read_tables(where, registry, connection)
    except DatabaseUnavailable as error:
        return DatabaseState(f"cannot be read: {error}")


def _read_tables(where: str, registry: ModelRegistry, connection: Connection) -> DatabaseState:
    people, interactions = connection.execute(text(COUNTS)).one()
    decided = _decide_training(registry, connection)
    return DatabaseState(
        f"{where}: {people:,} people, {interactions:,} likes and passes",
        people=people,
        live=get_live_publication(connection),
        is_busy=locks.is_held(connection, locks.RUN),
        training=decided.sentence if decided.due else None,
        no_training=None if decided.due else decided.sentence,
    )


def _decide_training(registry: ModelRegistry, connection: Connection) -> TrainingDecision:
    if not registry.exists:  # reading it would create it
        return TrainingDecision(due=True, sentence="there is no champion to score with")
    try:
        return decide_training(registry, connection)
    except (MatchingError, MlflowException) as error:
        return TrainingDecision(due=True, sentence=str(error))


def _describe_champion(registry: ModelRegistry, now: datetime) -> str:
    if not registry.exists:
        return NO_CHAMPION
    try:
        version = registry.find_champion_version()
        if version is None:
            return NO_CHAMPION
        trained_at, counts = registry.describe_training_data(version)
    except (MatchingError, MlflowException) as error:
        return f"cannot be read: {error}"
    trained_on = f"{counts['profiles']:,} people, {counts['interactions']:,} likes and passes"
    return f"version {version}, trained {format_age(now - trained_at)} on {trained_on}"


def _read_last_run(settings: Settings) -> LastRun | None:
    home = run_history.find_dagster_home(settings)
    if not (home / "dagster.yaml").exists():
        return None
    with dg.DagsterInstance.from_config(str(home)) as instance:
        record = run_history.find_last_run(instance, NIGHTLY_JOB)
        if record is None:
            return None
        status = record.dagster_run.status
        started, ended = (
            None if each is None else datetime.fromtimestamp(each, UTC) for each in (record.start_time, record.end_time)
        )
        if ended is not None:
            return LastRun(status, started, ended)
        usual = run_history.find_last_run(instance, NIGHTLY_JOB, [dg.DagsterRunStatus.SUCCESS])
        seconds = usual.end_time - usual.start_time if usual and usual.end_time and usual.start_time else None
        return LastRun(status, started, None, _describe_step(instance, record.dagster_run.run_id), seconds)


def _describe_step(instance: dg.DagsterInstance, run_id: str) -> str | None:
    current = run_history.find_current_step(instance, run_id)
    if current is None:
        return None
    step, number = current
    return f"step {number} of {len(run_history.list_planned_steps(instance, run_id))}, {step}"
