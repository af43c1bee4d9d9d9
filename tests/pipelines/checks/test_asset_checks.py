"""The checks in real runs: what passes, what blocks the publication, what only warns."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from models.db.errors import CheckFailed
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from pipelines.checks.check_results import BLOCKED
from pipelines.checks.embeddings_normalised import check_embeddings_normalised
from pipelines.checks.gate_results import CHECKS
from pipelines.checks.publication_checks import publication_matches_lists
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import FRESHNESS_JOB, NIGHTLY_JOB, build_definitions
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied, read_frame, write_frame

LIVE = "SELECT id, ranker_version FROM matching.publications WHERE state = 'live'"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
Checks = dict[str, dg.AssetCheckEvaluation]


@pytest.fixture
def app(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled population, to be changed."""
    with copied(settled, databases, tmp_path / "home") as place:
        yield place


def execute(place: Place, *assets: str) -> tuple[dg.ExecuteInProcessResult, Checks]:
    """Run the nightly job, or some assets only; the result, and the evaluations of the checks by name."""
    definitions = build_definitions(place.settings)
    job = definitions.resolve_implicit_global_asset_job_def() if assets else definitions.resolve_job_def(NIGHTLY_JOB)
    chosen = [dg.AssetKey(asset) for asset in assets] or None
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(asset_selection=chosen, instance=instance, raise_on_error=False)
    return result, {each.check_name: each for each in result.get_asset_check_evaluations()}


PASSING = {
    *("rejection_rate", "embeddings_normalised", "profile_drift", "score_drift", "listed_pairs_eligible"),
    *("publication_matches_lists", "publication_freshness", "calibrated", "loop_goes_on"),
}
RULES = ["paused", "blocked", "liked or passed before", "passed by the candidate"]


def test_a_listed_pair_that_breaks_a_rule_blocks_the_publication(app: Place) -> None:
    """However few: the frames of the run decide, and no timestamp."""
    lists, acts = read_frame(app, "match_lists"), read_frame(app, "interactions")
    lists = lists[lists["candidate_ids"].map(len) > 0]
    before, profiles = app.ask(LIVE), read_frame(app, "profiles")
    pairs = list(zip(lists["viewer_id"], lists["candidate_ids"].str[0], strict=True))
    (paused, _), (blocked, blocker), (viewer, candidate), (other, passer) = pairs[:4]
    write_frame(app, "profiles", profiles.assign(paused=profiles["profile_id"] == paused))
    write_frame(app, "blocks", pd.DataFrame({"blocker_id": [blocker], "blocked_id": [blocked]}))
    passes = pd.DataFrame({"actor_id": [viewer, passer], "target_id": [candidate, other], "kind": "pass"})
    last = acts.tail(2).reset_index(drop=True).assign(interaction_id=["last", "very last"], **passes)
    write_frame(app, "interactions", pd.concat([acts, last], ignore_index=True))
    result, found = execute(app, "match_lists", "publication")  # of candidates scored before these changes
    assert not result.success
    check = found["listed_pairs_eligible"]
    assert (check.passed, check.severity, check.blocking) == (False, ERROR, True)
    assert check.metadata["why"].value == check.description  # the log of a run shows no description
    assert [rule for rule in RULES if f" {rule} " not in str(check.description)] == []
    assert str(check.description).endswith(BLOCKED)
    assert not result.asset_materializations_for_node("publication")
    assert app.ask(LIVE) == before


def test_what_users_write_during_a_run_fails_no_check(app: Place) -> None:
    app.tell(
        "INSERT INTO app.interactions (actor_id, target_id, kind, created_at)"
        " SELECT viewer_id, candidate_ids[1], 'pass', '2001-01-01' FROM matching.match_lists"
        " WHERE cardinality(candidate_ids) > 2 LIMIT 5",
        "INSERT INTO app.blocks SELECT viewer_id, candidate_ids[2], '-infinity' FROM matching.match_lists"
        " WHERE cardinality(candidate_ids) > 2 LIMIT 5",
        "DELETE FROM app.profiles WHERE id IN (SELECT viewer_id FROM matching.match_lists LIMIT 1)",
    )
    result, found = execute(app, "match_lists", "publication")
    assert result.success
    assert [name for name, each in found.items() if not each.passed] == []
    assert app.ask(LIVE) == [(2, "1")]
    (materialization,) = result.asset_materializations_for_node("publication")
    shown = {name: value.value for name, value in materialization.metadata.items()}
    assert int(str(shown["dropped_since_scoring"])) > 10
    assert int(str(shown["dropped_backdated"])) >= 10


def test_most_bad_rows_stop_a_run(app: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = app.ask(LIVE)
    app.tell("UPDATE app.profiles SET wants = '{\"fun\"\\: 7}' WHERE source_key NOT LIKE '%\\:1_'")
    with pytest.raises(CheckFailed, match="profiles: rejection_rate: "):
        run_job(app.settings, NIGHTLY_JOB)
    assert "140 of 150" in capsys.readouterr().err
    assert app.ask(LIVE) == before


def test_after_a_refused_challenger_the_champions_lists_go_live(app: Place) -> None:
    app.tell("DELETE FROM app.interactions")
    result, found = execute(app)
    assert result.success
    # Of so few users, many have few candidates.
    refused = [each for each in found.values() if not each.passed and each.check_name != "loop_goes_on"]
    assert {each.check_name for each in refused} == set(CHECKS)
    # Without decisions nothing can be judged, which is no failure and lets nothing through.
    assert {(each.severity, each.blocking) for each in refused} == {(WARN, False)}
    assert all("version 1 remains" in str(each.description) for each in refused)
    assert set(found) - set(CHECKS) == PASSING
    (materialization,) = result.asset_materializations_for_node("ranker")
    shown = {name: value.value for name, value in materialization.metadata.items()}
    assert (shown["version"], shown["promoted"], shown["champion"]) == ("2", False, "1")
    assert app.ask(LIVE) == [(2, "1")]


def test_a_drift_of_ages_is_a_warning(app: Place) -> None:
    profiles = read_frame(app, "profiles")
    write_frame(app, "profiles", profiles.assign(age=profiles["age"] + 20))
    result, found = execute(app, "scored_candidates")
    assert result.success
    check = found["profile_drift"]
    assert (check.passed, check.severity) == (False, WARN)
    assert str(check.description).startswith("age ")


def test_lists_that_are_not_the_published_ones_are_found(app: Place) -> None:
    app.tell(
        "UPDATE matching.match_lists SET candidate_ids = ARRAY(SELECT unnest(candidate_ids) ORDER BY 1 DESC)"
        " WHERE cardinality(candidate_ids) > 3"
    )
    job = dg.define_asset_job("compare", dg.AssetSelection.checks(publication_matches_lists))
    definitions = dg.Definitions.merge(build_definitions(app.settings), dg.Definitions(jobs=[job]))
    (check,) = definitions.resolve_job_def("compare").execute_in_process().get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, ERROR)
    assert int(str(check.metadata["strange_lists"].value)) > 50


def test_an_old_publication_is_a_warning_and_then_an_error(app: Place) -> None:
    job = build_definitions(app.settings).resolve_job_def(FRESHNESS_JOB)
    for hours, passed, severity in ((25, True, WARN), (27, False, WARN), (51, False, ERROR)):
        app.tell(f"UPDATE matching.publications SET activated_at = now() - interval '{hours} hours'")
        (check,) = job.execute_in_process().get_asset_check_evaluations()
        assert (check.passed, check.severity) == (passed, severity)
        assert f"publication 1 has been live for {hours}.0 hours" in str(check.description)


def test_vectors_that_are_not_of_length_one_are_an_error() -> None:
    keys = pd.DataFrame({"profile_id": ["a", "b", "c"], "prompt": "", "text_hash": ""})
    vectors = np.zeros((3, 384), np.float16)
    vectors[0, 0], vectors[1, 5] = 1, np.nan
    check = check_embeddings_normalised(AnswerEmbeddings(keys, vectors, "letters"))
    assert (check.passed, check.severity) == (False, ERROR)
    assert str(check.description).startswith("2 of 3 ")
    assert check_embeddings_normalised(AnswerEmbeddings(keys[:1], vectors[:1], "letters")).passed


@pytest.mark.parametrize(
    ("rejected", "passed", "severity"), [(0, True, WARN), (5, True, WARN), (6, False, WARN), (51, False, ERROR)]
)
def test_how_many_rows_may_be_rejected(rejected: int, passed: bool, severity: object) -> None:
    check = check_rejection_rate("profiles", 100 - rejected, rejected)
    assert (check.passed, check.severity) == (passed, severity)
