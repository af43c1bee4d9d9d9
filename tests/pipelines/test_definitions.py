"""What the workspace holds, exactly: a `@definitions` function in a module can hide the module's other assets."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from models.db.schema.migrations import ROOT
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

ASSETS = {
    *("profiles", "rejected_profiles", "interactions", "rejected_interactions", "profile_embeddings"),
    *("training_pairs", "ranker", "scored_candidates", "match_lists", "publication", "impressions"),
}
EVALUATION_ASSETS, COMPARISON_ASSETS = {"ranker_evaluation"}, {"policy_comparison"}
# Those that block let nothing be published that failed them.
BLOCKING = {
    ("profiles", "rejection_rate"),
    ("interactions", "rejection_rate"),
    ("profile_embeddings", "embeddings_normalised"),
    ("match_lists", "listed_pairs_eligible"),
}
CHECKS = BLOCKING | {
    *(
        ("ranker", name)
        for name in (
            *("beats_the_baselines", "is_calibrated", "does_not_leak"),
            *("is_no_worse_than_linear", "is_no_worse_than_the_champion"),
        )
    ),
    ("impressions", "rejection_rate"),
    ("scored_candidates", "profile_drift"),
    ("scored_candidates", "score_drift"),
    ("publication", "publication_matches_lists"),
    ("publication", "publication_freshness"),
}
NEEDS = {
    "profiles": set(),
    "rejected_profiles": set(),
    "interactions": {"profiles"},
    "rejected_interactions": {"profiles"},
    "impressions": {"profiles"},
    "profile_embeddings": {"profiles"},
    "training_pairs": {"profiles", "interactions"},
    "ranker": {"profiles", "profile_embeddings", "training_pairs"},
    "scored_candidates": {"profiles", "interactions", "profile_embeddings", "ranker"},
    "match_lists": {"profiles", "interactions", "profile_embeddings", "scored_candidates"},
    "publication": {"profiles", "scored_candidates", "match_lists"},
    "ranker_evaluation": {"profiles", "profile_embeddings", "training_pairs"},
    "policy_comparison": {"profiles", "interactions", "scored_candidates"},
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(Settings(home=tmp_path_factory.mktemp("home")))


def test_the_assets_and_their_checks_are_exactly_these(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == (
        ASSETS | EVALUATION_ASSETS | COMPARISON_ASSETS
    )
    assert {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys} == CHECKS
    blocking = {key for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert {(key.asset_key.to_user_string(), key.name) for key in blocking} == BLOCKING


def test_each_asset_needs_what_the_flow_says(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    needs = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert needs == NEEDS


def test_every_asset_has_a_group_an_owner_and_says_what_goes_in_and_comes_out(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    nodes = [graph.get(key) for key in graph.get_all_asset_keys()]
    assert {node.group_name for node in nodes} == {
        "source",
        "embeddings",
        "ranker",
        "matches",
        "evaluation",
        "policies",
    }
    said = {node.key.to_user_string(): " ".join((node.description or "").split()) for node in nodes}
    assert [name for name, words in said.items() if "In: " not in words or "Out: " not in words] == []
    assert [node.key.to_user_string() for node in nodes if not node.owners or not node.kinds] == []
    # The catalog shows the beginning of a description: first what the asset is.
    assert [name for name, words in said.items() if words.startswith("In: ")] == []


def test_no_password_of_the_database_is_shown_by_the_launchpad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@there/app")
    job = build_definitions(Settings(home=tmp_path)).resolve_job_def(NIGHTLY_JOB)
    shown = repr(job.get_config_schema_snapshot())
    assert "DATABASE_URL" in shown
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("name", "assets"),
    [(NIGHTLY_JOB, ASSETS), (EVALUATION_JOB, EVALUATION_ASSETS), (COMPARISON_JOB, COMPARISON_ASSETS)],
)
def test_a_job_materializes_its_assets(definitions: dg.Definitions, name: str, assets: set[str]) -> None:
    job = definitions.resolve_job_def(name)
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == assets
    assert job.executor_def is dg.in_process_executor  # a process a step would cost two seconds each


@pytest.mark.parametrize(("environment", "status"), [("production", "RUNNING"), ("development", "STOPPED")])
def test_the_nightly_run_is_on_in_production(environment: str, status: str) -> None:
    nightly, hourly, weekly = build_schedules(Settings.model_validate({"environment": environment}))
    assert (nightly.job_name, nightly.cron_schedule, nightly.execution_timezone) == (NIGHTLY_JOB, "0 3 * * *", "UTC")
    assert (hourly.job_name, hourly.cron_schedule, hourly.execution_timezone) == (FRESHNESS_JOB, "30 * * * *", "UTC")
    assert (weekly.job_name, weekly.cron_schedule, weekly.execution_timezone) == (COMPARISON_JOB, "0 6 * * 1", "UTC")
    assert {each.default_status.value for each in (nightly, hourly, weekly)} == {status}


def test_the_age_of_the_publication_is_asked_by_itself(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def(FRESHNESS_JOB)
    assert not job.asset_layer.executable_asset_keys
    assert [node.name for node in job.nodes] == ["publication_publication_freshness"]


def test_every_job_check_and_schedule_says_what_it_is_for(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    said = {key.name: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    said |= {
        name: definitions.resolve_job_def(name).description
        for name in (NIGHTLY_JOB, EVALUATION_JOB, COMPARISON_JOB, FRESHNESS_JOB, INCREMENTAL_JOB)
    }
    said |= {each.name: each.description for each in build_schedules(Settings())}
    assert [name for name, words in said.items() if not (words or "").endswith((".", "here."))] == []


def test_new_people_are_looked_for_every_minute(definitions: dg.Definitions) -> None:
    sensor = definitions.resolve_sensor_def("new_profile_sensor")
    assert (sensor.job_name, sensor.minimum_interval_seconds) == (INCREMENTAL_JOB, 60)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert definitions.resolve_job_def(INCREMENTAL_JOB).executor_def is dg.in_process_executor


def test_dagster_loads_the_workspace_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(ROOT / "workspace.yaml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location matching" in done.stderr + done.stdout
