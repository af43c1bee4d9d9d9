"""The Dagster definitions: the assets, the job that runs them all, and the resources made from the settings."""

import os

import dagster as dg
from upath import UPath

from models.db.settings import Settings, settings
from pipelines import checks
from pipelines.assets import embeddings, evaluation, market, matches, ranker, source
from pipelines.frame_store import ParquetStore, store_url
from pipelines.new_people import new_people, somebody_joined
from pipelines.progress import progress
from pipelines.registry import Registry
from pipelines.resources import Compute, Database, ShardStore
from pipelines.run_config import config_check

JOB, EVALUATION, FRESHNESS = "matching", "evaluation", "freshness"
# 03:00 in UTC, where no night of the year has the hour twice or not at all: few are up, and lists are there by morning.
NIGHTLY, HOURLY, TIME_ZONE = "0 3 * * *", "30 * * * *", "UTC"


def build(settings: Settings) -> dg.Definitions:
    """The definitions with resources for these settings."""
    store = store_url(settings)
    return dg.Definitions(
        assets=dg.load_assets_from_modules([source, embeddings, ranker, matches, market, evaluation]),
        asset_checks=dg.load_asset_checks_from_modules([checks]),
        jobs=[
            dg.define_asset_job(
                JOB,
                selection=dg.AssetSelection.all() - dg.AssetSelection.groups(evaluation.GROUP),
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
        },
        loggers={"console": progress},
        executor=dg.in_process_executor,
    )


def _unseen(variable: str, value: str | None) -> str | None:
    """The value, for Dagster by the name of the variable it comes from: its launchpad shows what resources are given,
    and each run keeps it, where a password is not to be read.
    """
    return dg.EnvVar(variable) if value is not None and os.environ.get(variable) == value else value


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The whole pipeline every night and the age of what it published every hour.

    On in production from the start, elsewhere once somebody turns them on.
    """
    on = settings.environment == "production"
    status = dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
    said = {
        "nightly": (JOB, NIGHTLY, "The whole pipeline at 03:00 UTC."),
        "hourly": (FRESHNESS, HOURLY, "Whether what is published is of last night."),
    }
    return [
        dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=TIME_ZONE,
            default_status=status,
            description=f"{what} On in production (MATCHING_ENV), elsewhere to be turned on here.",
        )
        for name, (job, cron, what) in said.items()
    ]


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
