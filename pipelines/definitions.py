"""The Dagster definitions: assets, checks, jobs, schedules, and resources made from the settings."""

import os
import warnings
from collections.abc import Sequence

import dagster as dg
from mlflow.exceptions import MlflowException
from upath import UPath

from models.db.errors import MatchingError
from models.db.settings import Settings, get_settings
from pipelines.assets import (
    publication,
    scored_candidates,
    source,
)
from pipelines.assets.conversations import conversation_facts, conversation_outcomes, conversations
from pipelines.assets.conversations.flags import message_flags
from pipelines.assets.conversations.head import outcome_head
from pipelines.assets.conversations.insights import conversation_insights
from pipelines.assets.embeddings import profile_embeddings
from pipelines.assets.embeddings.incremental_embeddings import incremental_embeddings, new_profile_sensor
from pipelines.assets.impressions import activity, impressions
from pipelines.assets.market import loop_figures, loop_simulation, market_lists
from pipelines.assets.market.policies import match_fairness, policy_comparison, policy_value
from pipelines.assets.ranker import evaluation, training
from pipelines.assets.ranker.retraining import TRAINING_TAG, TrainingDecision, decide_training
from pipelines.assets.run_config import config_check
from pipelines.assets.surroundings import SURROUNDINGS
from pipelines.checks import drift_checks, listed_pairs, publication_checks
from pipelines.experiments import experiment_report
from pipelines.experiments.running_experiments import build_experiments_resource
from pipelines.reports.alerts import build_alerts
from pipelines.reports.progress import progress
from pipelines.resources import (
    ComputeResource,
    DatabaseResource,
    EncoderResource,
    FlagModels,
    LikesResource,
    ShardStore,
    sole_run,
)
from pipelines.store.frame_store import ParquetStore, store_url
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.run_pruning import PRUNING_JOB, RunRetention, pruning

FLAGS_FOLDER = "flags"
NIGHTLY_JOB, EVALUATION_JOB, COMPARISON_JOB, FRESHNESS_JOB = "matching", "evaluation", "policies", "freshness"
INSIGHTS_JOB, VALUE_JOB, EXPERIMENTS_JOB = "insights", "off_policy", "experiments"
# UTC has each hour once a day throughout the year. At 03:00 few users are awake, and lists are ready by morning.
NIGHTLY, HOURLY, WEEKLY, TIME_ZONE = "0 3 * * *", "30 * * * *", "0 6 * * 1", "UTC"
AN_HOUR_LATER, TWO_HOURS_LATER = "0 7 * * 1", "0 8 * * 1"


MODULES = [
    source,
    impressions,
    activity,
    profile_embeddings,
    training,
    scored_candidates,
    outcome_head,
    market_lists,
    loop_figures,
    publication,
    conversations,
    conversation_facts,
    conversation_outcomes,
    message_flags,
    evaluation,
    policy_comparison,
    match_fairness,
    policy_value,
    loop_simulation,
    conversation_insights,
    experiment_report,
]
ASSETS = [each for each in dg.load_assets_from_modules(MODULES) if isinstance(each, dg.AssetsDefinition)]
ON_DEMAND = dg.AssetSelection.groups(
    evaluation.GROUP,
    policy_comparison.GROUP,
    policy_value.GROUP,
    loop_simulation.GROUP,
    conversation_insights.GROUP,
    message_flags.GROUP,
    experiment_report.GROUP,
)
NIGHTLY_ASSETS = dg.AssetSelection.all() - ON_DEMAND


def build_definitions(settings: Settings, logger: dg.LoggerDefinition = progress) -> dg.Definitions:
    """Build the definitions with resources for these settings; the logger reports the progress of a run."""
    store = store_url(settings)
    return dg.Definitions(
        assets=[*_link_code(), *SURROUNDINGS],
        asset_checks=dg.load_asset_checks_from_modules([drift_checks, listed_pairs, publication_checks]),
        jobs=[
            dg.define_asset_job(
                NIGHTLY_JOB,
                selection=NIGHTLY_ASSETS,
                description="The whole pipeline: from the app tables to a live publication.",
            ),
            dg.define_asset_job(
                EVALUATION_JOB,
                selection=dg.AssetSelection.groups(evaluation.GROUP),
                description="Compares the ranker with every baseline, on what the last run of the pipeline extracted.",
            ),
            dg.define_asset_job(
                COMPARISON_JOB,
                selection=dg.AssetSelection.groups(policy_comparison.GROUP),
                description="Compares the market policies on the candidates of the last run, and who gets a match.",
            ),
            dg.define_asset_job(
                VALUE_JOB,
                selection=dg.AssetSelection.groups(policy_value.GROUP),
                description="Judges market policies by what users did with the lists of the live publication.",
            ),
            dg.define_asset_job(
                INSIGHTS_JOB,
                selection=dg.AssetSelection.groups(conversation_insights.GROUP),
                description="Figures of conversations for analysts, of what the last run of the pipeline read.",
            ),
            dg.define_asset_job(
                EXPERIMENTS_JOB,
                selection=dg.AssetSelection.groups(experiment_report.GROUP),
                description="Reports what an experiment has shown so far, and what to do.",
            ),
            dg.define_asset_job(
                FRESHNESS_JOB,
                selection=dg.AssetSelection.checks(publication_checks.publication_freshness),
                description="Checks the age of the live publication.",
            ),
            incremental_embeddings,
            message_flags.message_flags,
            pruning,
        ],
        schedules=build_schedules(settings),
        sensors=[new_profile_sensor, message_flags.message_flag_sensor, *build_alerts(settings.alert_url)],
        resources={
            "io_manager": ParquetStore(base_path=UPath(store)),
            "database": DatabaseResource(
                home=str(settings.home), url=_hide_value("DATABASE_URL", settings.database_url)
            ),
            "store": ShardStore(base=store),
            "encoder": EncoderResource(
                setting=settings.encoder, device=settings.encoder_device, precision=settings.encoder_precision
            ),
            "compute": ComputeResource(scheduler=settings.dask_scheduler_address),
            "registry": build_registry(settings),
            "flag_models": FlagModels(folder=str(settings.home / FLAGS_FOLDER)),
            "likes": LikesResource(likes=settings.likes),
            "run_retention": RunRetention(days=settings.keep_runs_days),
            "config_check": config_check,
            "experiments": build_experiments_resource(settings, build_registry(settings)),
            "sole_run": sole_run,
        },
        loggers={"console": logger},
        executor=dg.in_process_executor,
    )


def _link_code() -> Sequence[dg.AssetsDefinition]:
    """Return the assets with links to their code, which Dagster shows beside them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [each for each in dg.with_source_code_references(ASSETS) if isinstance(each, dg.AssetsDefinition)]


def _hide_value(variable: str, value: str | None) -> str | None:
    """Return the value, or a reference to the environment variable that holds it.

    Dagster shows the configuration of resources in its launchpad and stores it with each run; a reference keeps the
    password out of both.
    """
    return dg.EnvVar(variable) if value is not None and os.environ.get(variable) == value else value


def list_assets_without_training() -> list[dg.AssetKey]:
    """List the assets that a run materializes while the champion is good enough."""
    return sorted((NIGHTLY_ASSETS - dg.AssetSelection.assets(training.ranker)).resolve(ASSETS))


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Build the schedules: the pipeline nightly, the check of its publication hourly, all else weekly.

    They are on in production; elsewhere they are off until a user turns them on.
    """
    on = settings.environment == "production"
    status = dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
    turned_on = "On in production (MATCHING_ENV); elsewhere it is turned on here."

    @dg.schedule(
        NIGHTLY,
        job_name=NIGHTLY_JOB,
        execution_timezone=TIME_ZONE,
        default_status=status,
        description=f"The pipeline at 03:00 UTC; it trains the ranker when that is due, weekly at least. {turned_on}",
    )
    def nightly(database: DatabaseResource, registry: ModelRegistry) -> dg.RunRequest:
        try:
            with database.open_engine() as engine, engine.connect() as connection:
                decided = decide_training(registry, connection)
        except (MatchingError, MlflowException):  # a tick cannot wait for them; the run can
            decided = TrainingDecision(due=True, sentence="the database or MLflow does not answer")
        assets = None if decided.due else list_assets_without_training()
        return dg.RunRequest(asset_selection=assets, tags={TRAINING_TAG: decided.sentence})

    def schedule_job(name: str, job: str, cron: str, purpose: str) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=TIME_ZONE,
            default_status=status,
            description=f"{purpose} {turned_on}",
        )

    return [
        nightly,
        schedule_job("hourly", FRESHNESS_JOB, HOURLY, "Checks that last night's publication is live."),
        schedule_job("weekly", COMPARISON_JOB, WEEKLY, "Compares the market policies, on Mondays at 06:00 UTC."),
        schedule_job("weekly_insights", INSIGHTS_JOB, AN_HOUR_LATER, "Figures of conversations, Mondays at 07:00 UTC."),
        schedule_job("weekly_pruning", PRUNING_JOB, TWO_HOURS_LATER, "Deletes old runs, on Mondays at 08:00 UTC."),
    ]


def build_registry(settings: Settings) -> ModelRegistry:
    """Build the model registry: an MLflow server, or SQLite and a folder."""
    if settings.mlflow_tracking_uri is not None:
        return ModelRegistry(tracking_uri=settings.mlflow_tracking_uri, encoder=settings.encoder)
    folder = settings.home / "mlflow"
    return ModelRegistry(
        tracking_uri=f"sqlite:///{folder}/mlflow.db",
        artifacts=(folder / "artifacts").as_uri(),
        encoder=settings.encoder,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return what `workspace.yaml` loads."""
    return build_definitions(get_settings())
