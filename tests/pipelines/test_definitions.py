"""What the workspace holds, exactly: a `@definitions` function in a module can hide the module's other assets."""

from pathlib import Path

import dagster as dg
import pytest

from models.db.settings import Settings
from pipelines.assets.incremental_embeddings import INCREMENTAL_JOB
from pipelines.definitions import (
    COMPARISON_JOB,
    EVALUATION_JOB,
    FRESHNESS_JOB,
    NIGHTLY_JOB,
    build_definitions,
    build_schedules,
)

NEEDS = {
    "profiles": set(),
    "rejected_profiles": set(),
    "interactions": {"profiles"},
    "rejected_interactions": {"profiles"},
    "profile_embeddings": {"profiles"},
    "training_pairs": {"profiles", "interactions"},
    "ranker": {"profiles", "profile_embeddings", "training_pairs"},
    "scored_candidates": {"profiles", "interactions", "profile_embeddings", "ranker"},
    "match_lists": {"profiles", "interactions", "profile_embeddings", "scored_candidates"},
    "publication": {"profiles", "scored_candidates", "match_lists"},
    "ranker_evaluation": {"profiles", "profile_embeddings", "training_pairs"},
    "policy_comparison": {"profiles", "interactions", "scored_candidates"},
}
OTHER_JOBS = {EVALUATION_JOB: {"ranker_evaluation"}, COMPARISON_JOB: {"policy_comparison"}}
JOBS = OTHER_JOBS | {NIGHTLY_JOB: {*NEEDS} - set().union(*OTHER_JOBS.values())}
# What fails one of these is not published.
BLOCKING = {
    ("profiles", "rejection_rate"),
    ("interactions", "rejection_rate"),
    ("profile_embeddings", "embeddings_normalised"),
    ("match_lists", "listed_pairs_eligible"),
}
CHECKS = BLOCKING | {
    ("ranker", "beats_the_baselines"),
    ("ranker", "is_calibrated"),
    ("ranker", "does_not_leak"),
    ("ranker", "is_no_worse_than_linear"),
    ("ranker", "is_no_worse_than_the_champion"),
    ("scored_candidates", "profile_drift"),
    ("scored_candidates", "score_drift"),
    ("publication", "publication_matches_lists"),
    ("publication", "publication_freshness"),
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")))


def test_assets_checks_and_what_each_needs(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    needs = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert needs == NEEDS
    checks = {(key.asset_key.to_user_string(), key.name): graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert set(checks) == CHECKS
    assert {name for name, check in checks.items() if check.blocking} == BLOCKING


def test_jobs_and_the_sensor_for_new_profiles(definitions: dg.Definitions) -> None:
    for name, assets in JOBS.items():
        job = definitions.resolve_job_def(name)
        assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == assets
        assert job.executor_def is dg.in_process_executor  # a process a step would cost two seconds each
    freshness = definitions.resolve_job_def(FRESHNESS_JOB)
    assert not freshness.asset_layer.executable_asset_keys
    assert [node.name for node in freshness.nodes] == ["publication_publication_freshness"]
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
    ]
    assert {each.default_status.value for each in schedules} == {status}
