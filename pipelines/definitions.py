"""The Dagster definitions: the assets, the job that runs them all, and the resources made from the settings."""

import dagster as dg
from upath import UPath

from models.db.settings import Settings, settings
from pipelines.assets import embeddings, evaluation, market, matches, ranker, source
from pipelines.frame_store import ParquetStore, store_url
from pipelines.new_people import new_people, somebody_joined
from pipelines.progress import progress
from pipelines.registry import Registry
from pipelines.resources import Compute, Database, ShardStore

JOB, EVALUATION = "matching", "evaluation"
# 03:00 in UTC, where no night of the year has the hour twice or not at all: few are up, and lists are there by morning.
NIGHTLY, TIME_ZONE = "0 3 * * *", "UTC"


def build(settings: Settings) -> dg.Definitions:
    """The definitions with resources for these settings."""
    store = store_url(settings)
    return dg.Definitions(
        assets=dg.load_assets_from_modules([source, embeddings, ranker, matches, market, evaluation]),
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
            new_people,
        ],
        schedules=[nightly(settings)],
        sensors=[somebody_joined],
        resources={
            "io_manager": ParquetStore(base_path=UPath(store)),
            "database": Database(home=str(settings.home), url=settings.database_url),
            "store": ShardStore(base=store),
            "compute": Compute(scheduler=settings.dask_scheduler_address),
            "registry": registry(settings),
            "config_check": market.config_check,
        },
        loggers={"console": progress},
        executor=dg.in_process_executor,
    )


def nightly(settings: Settings) -> dg.ScheduleDefinition:
    """The whole pipeline every night: in production from the start, elsewhere once somebody turns it on."""
    on = settings.environment == "production"
    return dg.ScheduleDefinition(
        name="nightly",
        job_name=JOB,
        cron_schedule=NIGHTLY,
        execution_timezone=TIME_ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
        description="The whole pipeline at 03:00 UTC. On in production (MATCHING_ENV), elsewhere to be turned on here.",
    )


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
