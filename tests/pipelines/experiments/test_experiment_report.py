"""The commands and the asset: from tables with a known effect to a verdict."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from models.db.settings import get_settings
from models.experiments.design.assignment import assign_arms
from models.ml.profiles.geography import name_cells
from pipelines.assets.market.policies.policy_evidence import check_experiment
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.definitions import EXPERIMENTS_JOB, build_definitions
from pipelines.experiments.experiment_file import load_experiments
from tests.pipelines.conftest import Place
from tests.support.places import read_frame

NIGHTS, REGIONS, PEOPLE = 10, 24, 10
EXPERIMENT = """
[[experiment]]
name = "order"
hypothesis = "More matches."
unit = "region"
layer = "lists"
share = 1.0
arms = [{{ name = "control", share = 0.5 }}, {{ name = "new", share = 0.5, market = {{ policy = "product" }} }}]
starts_on = {starts}
ends_on = {ends}
primary = "matches"
guardrails = ["blocks_and_reports"]
smallest_effect = 0.3
"""
SETTLE = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, latitude, longitude, created_at)
SELECT lpad(number::text, 32, '0')::uuid, 'N', '2000-01-01', 'woman', '{woman}', 2 * (number / :people) - 24, 0.1,
       '2020-01-01'
FROM generate_series(0, :people * :regions - 1) AS number
"""
PUBLISH = """
INSERT INTO matching.publications (state, ranker_version, encoder, activated_at)
SELECT CASE night WHEN :nights THEN 'live' ELSE 'retired' END, '1', 'e',
       CAST(:first AS timestamptz) + night * interval '1 day'
FROM generate_series(-7, :nights) AS night
"""
ASSIGN = """
INSERT INTO matching.experiment_assignments (experiment, publication_id, profile_id, arm, unit_key)
SELECT 'order', publication.id, lpad(number::text, 32, '0')::uuid, (CAST(:arms AS text[]))[1 + number / :people],
       (CAST(:keys AS text[]))[1 + number / :people]
FROM matching.publications AS publication, generate_series(0, :people * :regions - 1) AS number
WHERE activated_at >= CAST(:first AS timestamptz)
"""
DECIDE = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT lpad(actor::text, 32, '0')::uuid, lpad(target::text, 32, '0')::uuid, 'like', moment
FROM unnest(CAST(:actors AS int[]), CAST(:targets AS int[]), CAST(:moments AS timestamptz[]))
    AS made (actor, target, moment)
"""


@pytest.fixture
def experiment_file(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file with an experiment that began ten nights ago, and a database with twice the matches in its new arm."""
    first = (datetime.now(UTC) - timedelta(days=NIGHTS)).replace(hour=0, minute=0, second=1, microsecond=0)
    file = tmp_path / "experiments.toml"
    file.write_text(EXPERIMENT.format(starts=first.date(), ends=first.date() + timedelta(days=29)))
    monkeypatch.setenv("MATCHING_EXPERIMENTS", str(file))
    monkeypatch.setenv("MATCHING_HOME", str(place.home))
    get_settings.cache_clear()
    fill_tables(place, first)
    yield file
    get_settings.cache_clear()


def fill_tables(place: Place, first: datetime) -> None:
    (experiment,) = load_experiments(get_settings())
    keys = name_cells(np.column_stack([2.0 * np.arange(REGIONS) - 24, np.full(REGIONS, 0.1)]))
    arm, rng = assign_arms(experiment, keys), np.random.default_rng(3)
    actors, targets, moments = [], [], []
    for night in range(-7, NIGHTS):
        for region in range(REGIONS):
            # Each night other pairs match: a pair matches once.
            pairs = [(a, b) for a in range(PEOPLE) for b in range(a) if (a + b) % (NIGHTS + 7) == night + 7]
            chance = 0.8 if arm[region] and night >= 0 else 0.4
            for a, b in pairs:
                if rng.random() < chance:
                    actors += [region * PEOPLE + a, region * PEOPLE + b]
                    targets += [region * PEOPLE + b, region * PEOPLE + a]
                    moments += [first + timedelta(days=night, hours=1)] * 2
    sizes = {"people": PEOPLE, "regions": REGIONS}
    place.tell(SETTLE, **sizes)
    place.tell(PUBLISH, nights=NIGHTS, first=first)
    names = [experiment.arms[number].name for number in arm]
    place.tell(ASSIGN, **sizes, first=first, arms=names, keys=keys.tolist())
    place.tell(DECIDE, actors=actors, targets=targets, moments=moments)


def test_a_large_effect_is_found_and_reported(place: Place, experiment_file: Path) -> None:
    result = place.command("experiment", "report", "order", MATCHING_EXPERIMENTS=str(experiment_file))
    assert result.returncode == 0, result.stderr
    assert f"new: stop: better (night {NIGHTS} of 30" in result.stdout
    build = build_definitions(place.settings).resolve_job_def(EXPERIMENTS_JOB)
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(place.settings))) as instance:
        config = {"ops": {"experiment_report": {"config": {"experiment": "order"}}}}
        build.execute_in_process(run_config=config, instance=instance)
    metadata = place.metadata("experiment_report")
    assert "stop: better" in str(metadata["verdict"])
    assert "0000000" not in str(metadata), "no user is named"
    evidence = check_experiment(read_frame(place, "experiment_report"), "product")
    assert (evidence.judged, evidence.passed) == (True, True)


def test_a_plan_says_how_long(place: Place, experiment_file: Path) -> None:
    result = place.command("experiment", "plan", "order", MATCHING_EXPERIMENTS=str(experiment_file))
    assert result.returncode == 0, result.stderr
    assert f"{NIGHTS + 7} past nights and {REGIONS} units" in result.stdout


def test_unknown_experiments_are_refused(place: Place, experiment_file: Path) -> None:
    result = place.command("experiment", "report", "ordre", MATCHING_EXPERIMENTS=str(experiment_file))
    assert result.returncode == 2
    assert "there is no experiment 'ordre': the file has order" in result.stderr
