"""The jobs, schedules and sensors, and what the launchpad shows."""

from pathlib import Path

import dagster as dg
import pytest

from models.db.settings import Settings
from pipelines.assets.embeddings.incremental_embeddings import INCREMENTAL_JOB
from pipelines.definitions import (
    COMPARISON_JOB,
    EVALUATION_JOB,
    EXPERIMENTS_JOB,
    FRESHNESS_JOB,
    INSIGHTS_JOB,
    NIGHTLY_JOB,
    VALUE_JOB,
    build_definitions,
    build_schedules,
)
from pipelines.store.run_pruning import PRUNING_JOB

JOBS = {
    NIGHTLY_JOB: {
        *("profiles", "rejected_profiles", "interactions", "rejected_interactions", "profile_embeddings"),
        *("training_pairs", "ranker", "scored_candidates", "match_lists", "publication", "impressions"),
        *("activity", "loop_figures", "conversations", "conversation_facts", "conversation_outcomes"),
        "outcome_head",
    },
    EVALUATION_JOB: {"ranker_evaluation"},
    COMPARISON_JOB: {"policy_comparison", "match_fairness"},
    INSIGHTS_JOB: {"conversation_insights"},
    EXPERIMENTS_JOB: {"experiment_report"},
    PRUNING_JOB: set[str](),
    VALUE_JOB: {"policy_value"},
    FRESHNESS_JOB: set[str](),
}
CHECKS = {
    *("rejection_rate", "embeddings_normalised", "listed_pairs_eligible", "publication_matches_lists"),
    *("beats_the_baselines", "is_calibrated", "does_not_leak", "is_no_worse_than_linear"),
    *("is_no_worse_than_the_champion", "profile_drift", "score_drift", "publication_freshness"),
    *("calibrated", "loop_goes_on", "flag_precision", "flag_recall", "decisions_in_time"),
    "has_evidence",
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")))


def test_jobs_and_the_sensor_for_new_profiles(definitions: dg.Definitions) -> None:
    for name, assets in JOBS.items():
        job = definitions.resolve_job_def(name)
        assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == assets
        assert job.executor_def is dg.in_process_executor  # a process a step would cost two seconds each
    assert {key.name for key in definitions.resolve_asset_graph().asset_check_keys} == CHECKS
    assert [node.name for node in definitions.resolve_job_def(FRESHNESS_JOB).nodes] == [
        "publication_publication_freshness"
    ]
    graph = definitions.resolve_asset_graph()
    for name, above in (
        *(("profiles", "app/profiles"), ("api", "publication")),
        *(("policy_value", "publication"), ("experiment_report", "publication")),
    ):
        assert above in {key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys}
    sensor = definitions.resolve_sensor_def("new_profile_sensor")
    assert (sensor.job_name, sensor.minimum_interval_seconds) == (INCREMENTAL_JOB, 60)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_no_password_is_shown_in_the_launchpad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@there/app")
    job = build_definitions(Settings(home=tmp_path)).resolve_job_def(NIGHTLY_JOB)
    shown = repr(job.get_config_schema_snapshot())
    assert "DATABASE_URL" in shown
    assert "hush" not in shown


@pytest.mark.parametrize(("environment", "status"), [("production", "RUNNING"), ("development", "STOPPED")])
def test_schedules_are_on_in_production(environment: str, status: str) -> None:
    schedules = build_schedules(Settings.model_validate({"environment": environment}))
    assert [(each.job_name, each.cron_schedule, each.execution_timezone) for each in schedules] == [
        (NIGHTLY_JOB, "0 3 * * *", "UTC"),
        (FRESHNESS_JOB, "30 * * * *", "UTC"),
        (COMPARISON_JOB, "0 6 * * 1", "UTC"),
        (INSIGHTS_JOB, "0 7 * * 1", "UTC"),
        (PRUNING_JOB, "0 8 * * 1", "UTC"),
    ]
    assert {each.default_status.value for each in schedules} == {status}
