"""The Dagster definitions: the assets, the job that runs them all, and the resources made from the settings."""

import os

import dagster as dg
from mlflow.exceptions import MlflowException
from upath import UPath

from models.db.errors import MatchingError
from models.db.settings import Settings, settings
from pipelines import checks, drift_checks
from pipelines.assets import embeddings, evaluation, market, matches, ranker, source
from pipelines.frame_store import ParquetStore, store_url
from pipelines.new_people import new_people, somebody_joined
from pipelines.progress import progress
from pipelines.registry import Registry
from pipelines.resources import Compute, Database, ShardStore, sole_run
from pipelines.run_config import config_check
from pipelines.training_due import training_due

JOB, EVALUATION, FRESHNESS = "matching", "evaluation", "freshness"
# 03:00 in UTC, where no night of the year has the hour twice or not at all: few are up, and lists are there by morning.
NIGHTLY, HOURLY, TIME_ZONE = "0 3 * * *", "30 * * * *", "UTC"


MODULES = [source, embeddings, ranker, matches, market, evaluation]
ASSETS = [each for each in dg.load_assets_from_modules(MODULES) if isinstance(each, dg.AssetsDefinition)]
WHOLE = dg.AssetSelection.all() - dg.AssetSelection.groups(evaluation.GROUP)


def build(settings: Settings) -> dg.Definitions:
    """The definitions with resources for these settings."""
    store = store_url(settings)
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=dg.load_asset_checks_from_modules([checks, drift_checks]),
        jobs=[
            dg.define_asset_job(
                JOB,
                selection=WHOLE,
                description="The whole pipeline: from the app tables to a live publication.",
            ),
            dg.define_asset_job(
                EVALUATION,
                selection=dg.AssetSelection.groups(evaluation.GROUP),
                description="The ranker beside every baseline, on what the last run of the pipeline extracted.",
            ),
            dg.define_asset_job(
                FRESHNESS,
                selection=dg.AssetSelection.checks(checks.is_fresh),
                description="Whether last night's publication came to be: only the check of its age.",
            ),
            new_people,
        ],
        schedules=schedules(settings),
        sensors=[somebody_joined],
        resources={
            "io_manager": ParquetStore(base_path=UPath(store)),
            "database": Database(home=str(settings.home), url=_unseen("DATABASE_URL", settings.database_url)),
            "store": ShardStore(base=store),
            "compute": Compute(scheduler=settings.dask_scheduler_address),
            "registry": registry(settings),
            "config_check": config_check,
            "sole_run": sole_run,
        },
        loggers={"console": progress},
        executor=dg.in_process_executor,
    )


def _unseen(variable: str, value: str | None) -> str | None:
    """The value, for Dagster by the name of the variable it comes from: its launchpad shows what resources are given,
    and each run keeps it, where a password is not to be read.
    """
    return dg.EnvVar(variable) if value is not None and os.environ.get(variable) == value else value


def but_training() -> list[dg.AssetKey]:
    """The assets of the whole pipeline that a run materializes while the champion is good enough."""
    return sorted((WHOLE - dg.AssetSelection.assets(ranker.ranker)).resolve(ASSETS))


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The pipeline every night and the age of what it published every hour.

    On in production from the start, elsewhere once somebody turns them on.
    """
    on = settings.environment == "production"
    status = dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
    turned_on = "On in production (MATCHING_ENV), elsewhere to be turned on here."

    @dg.schedule(
        NIGHTLY,
        job_name=JOB,
        execution_timezone=TIME_ZONE,
        default_status=status,
        description=f"The pipeline at 03:00 UTC; it trains the ranker when that is due, weekly at least. {turned_on}",
    )
    def nightly(database: Database, registry: Registry) -> dg.RunRequest:
        try:
            with database.engine() as engine, engine.connect() as connection:
                due = training_due(registry, connection)
        except (MatchingError, MlflowException):
            due = "who would know is not there"  # a tick cannot wait for them; the run can, and tells
        return dg.RunRequest() if due else dg.RunRequest(asset_selection=but_training())

    hourly = dg.ScheduleDefinition(
        name="hourly",
        job_name=FRESHNESS,
        cron_schedule=HOURLY,
        execution_timezone=TIME_ZONE,
        default_status=status,
        description=f"Whether what is published is of last night. {turned_on}",
    )
    return [nightly, hourly]


def registry(settings: Settings) -> Registry:
    """MLflow as the settings have it: a server, or SQLite and a folder."""
    if settings.mlflow_tracking_uri is not None:
        return Registry(tracking_uri=settings.mlflow_tracking_uri)
    folder = settings.home / "mlflow"
    return Registry(tracking_uri=f"sqlite:///{folder}/mlflow.db", artifacts=(folder / "artifacts").as_uri())


@dg.definitions
def defs() -> dg.Definitions:
    """What `workspace.yaml` loads."""
    return build(settings())
