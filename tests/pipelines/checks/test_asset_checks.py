"""The checks through the event log: what passes, what blocks the publication, what only warns; each says why."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from upath import UPath

from models.db.errors import CheckFailed
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from pipelines.assets.ranker_training import CHAMPION_REMAINS, CHECKS, TOO_LITTLE
from pipelines.checks.check_results import BLOCKED
from pipelines.checks.embeddings_normalised import check_embeddings_normalised
from pipelines.checks.publication_checks import publication_matches_lists
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.commands.run_pipeline import ensure_dagster_home, run_job
from pipelines.definitions import FRESHNESS_JOB, NIGHTLY_JOB, build_definitions
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table
from tests.pipelines.conftest import Databases, Place

PUBLISHED = "SELECT id, ranker_version FROM matching.publications WHERE state = 'live'"
LIVE = "SELECT id FROM matching.publications WHERE state = 'live'"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
Told = dict[tuple[str, str], dg.AssetCheckEvaluation]


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled town, to be changed."""
    shutil.copytree(settled.home, tmp_path / "home", ignore=shutil.ignore_patterns("dagster"))
    with databases(settled.database_url) as url:
        yield Place(tmp_path / "home", url)


def told(place: Place) -> Told:
    """What each check said last, as the UI shows it."""
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(place.settings))) as instance:
        keys = list(build_definitions(place.settings).resolve_asset_graph().asset_check_keys)
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        found: Told = {}
        for key, record in records.items():
            event = record.event.dagster_event if record.event else None
            if event is not None and event.event_type_value == "ASSET_CHECK_EVALUATION":  # not only planned
                evaluation = event.asset_check_evaluation_data
                found[key.asset_key.to_user_string(), key.name] = evaluation
    return found


def execute(place: Place, *assets: str) -> tuple[dg.ExecuteInProcessResult, dict[str, dg.AssetCheckEvaluation]]:
    """Materialize some assets with their checks; the result, and what each check said."""
    job = build_definitions(place.settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(place.settings))) as instance:
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey(asset) for asset in assets], instance=instance, raise_on_error=False
        )
    return result, {each.check_name: each for each in result.get_asset_check_evaluations()}


def change(place: Place, asset: str, **columns: pd.Series) -> None:
    path = UPath(place.home) / "store" / f"{asset}.parquet"
    write_table(convert_to_table(convert_from_table(read_table(path)).assign(**columns)), path)


def frame(place: Place, asset: str) -> pd.DataFrame:
    return convert_from_table(read_table(UPath(place.home) / "store" / f"{asset}.parquet"))


def test_after_a_run_every_check_of_what_was_made_has_passed(settled: Place) -> None:
    found = {key: each for key, each in told(settled).items() if key[0] != "ranker"}
    assert len(found) == 8
    assert [each.description for each in found.values() if not each.passed] == []
    pairs = found["match_lists", "listed_pairs_eligible"]
    assert "why" not in pairs.metadata
    assert pairs.description == f"all {pairs.metadata['pairs'].value:,} pairs keep the rules"
    assert found["profiles", "rejection_rate"].description == (
        "0 of 150 rows break the contract (0.0%); at most 5% is usual; above 50% nothing is published"
    )
    assert str(found["scored_candidates", "profile_drift"].description).startswith(
        "nothing beyond a population stability index of 0.25 since version 1 was trained; the largest is 0.000"
    )


def test_an_ineligible_pair_blocks_the_publication_and_says_which_rule(town: Place) -> None:
    before = town.ask(LIVE)
    profiles = frame(town, "profiles")
    change(town, "profiles", paused=profiles["profile_id"] == frame(town, "match_lists")["viewer_id"][0])
    result, found = execute(town, "match_lists", "publication")  # of candidates scored before the pause
    assert not result.success
    said = found["listed_pairs_eligible"]
    assert (said.passed, said.severity, said.blocking) == (False, ERROR, True)
    assert re.fullmatch(rf"rules broken among [\d,]+ pairs: paused \d+; {BLOCKED}", str(said.description))
    assert said.metadata["why"].value == said.description  # which a run's log does not show
    assert not result.asset_materializations_for_node("publication")
    assert town.ask(LIVE) == before


@pytest.mark.parametrize("rule", ["blocked", "liked or passed before", "passed by the candidate"])
def test_a_listed_pair_that_the_run_itself_knew_to_be_closed_blocks_the_publication(town: Place, rule: str) -> None:
    """However few: what the run had read is compared, and no stamp."""
    before, first = town.ask(LIVE), frame(town, "match_lists").iloc[0]
    viewer, candidate = first["viewer_id"], first["candidate_ids"][0]
    if rule == "blocked":
        path = UPath(town.home) / "store" / "blocks.parquet"
        write_table(convert_to_table(pd.DataFrame({"blocker_id": [candidate], "blocked_id": [viewer]})), path)
    else:
        acts, mine = frame(town, "interactions"), rule.startswith("liked")
        actor, target = (viewer, candidate) if mine else (candidate, viewer)
        act = acts.tail(1).assign(interaction_id="last", actor_id=actor, target_id=target, kind="pass")
        path = UPath(town.home) / "store" / "interactions.parquet"
        write_table(convert_to_table(pd.concat([acts, act], ignore_index=True)), path)
    result, found = execute(town, "match_lists", "publication")
    assert not result.success
    said = str(found["listed_pairs_eligible"].description)
    assert re.search(rf"(: |, ){rule} [12]\b", said)
    assert said.endswith(BLOCKED)
    assert town.ask(LIVE) == before


def test_what_users_write_during_a_run_fails_no_check(town: Place) -> None:
    ((before,),) = town.ask(LIVE)
    town.tell(
        "INSERT INTO app.interactions (actor_id, target_id, kind, created_at)"
        " SELECT viewer_id, candidate_ids[1], 'pass', '2001-01-01' FROM matching.match_lists"
        " WHERE cardinality(candidate_ids) > 2 LIMIT 5",
        "INSERT INTO app.blocks SELECT viewer_id, candidate_ids[2], '-infinity' FROM matching.match_lists"
        " WHERE cardinality(candidate_ids) > 2 LIMIT 5",
        "DELETE FROM app.profiles WHERE id IN (SELECT viewer_id FROM matching.match_lists LIMIT 1)",
    )
    result, found = execute(town, "match_lists", "publication")
    assert result.success
    assert {name for name, each in found.items() if not each.passed} == set()
    assert town.ask(LIVE) == [(before + 1,)]
    shown = town.metadata("publication")
    assert int(str(shown["dropped_since_scoring"])) > 10
    assert int(str(shown["dropped_backdated"])) >= 10


def test_many_bad_rows_warn_and_most_bad_rows_block_the_rest(town: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = town.ask(LIVE)
    town.tell("UPDATE app.profiles SET wants = '{\"fun\"\\: 7}' WHERE source_key LIKE '%\\:1_'")
    result, found = execute(town, "profiles", "rejected_profiles")
    assert result.success
    assert (found["rejection_rate"].passed, found["rejection_rate"].severity) == (False, WARN)
    town.tell("UPDATE app.profiles SET wants = '{\"fun\"\\: 7}' WHERE source_key NOT LIKE '%\\:1_'")
    town.tell("UPDATE app.profiles SET wants = '{}' WHERE source_key LIKE '%\\:1_'")
    with pytest.raises(CheckFailed, match=r"^nothing was published, as a check failed, profiles: rejection_rate: "):
        run_job(town.settings, NIGHTLY_JOB)
    assert "    failed: rejection rate: no; 140 of 150 rows break the contract (93.3%)" in capsys.readouterr().err
    assert told(town)["profiles", "rejection_rate"].description == (
        f"140 of 150 rows break the contract (93.3%); at most 5% is usual; {BLOCKED}"
    )
    assert town.ask(LIVE) == before


def test_a_refused_challenger_is_an_error_that_says_why_and_the_champion_s_lists_are_published(town: Place) -> None:
    ((before,),) = town.ask(LIVE)
    town.tell("DELETE FROM app.interactions")
    town.run()
    refused = {name: each for (asset, name), each in told(town).items() if asset == "ranker"}
    assert set(refused) == set(CHECKS)
    assert {(each.passed, each.severity, each.blocking) for each in refused.values()} == {(False, ERROR, False)}
    assert {each.description for each in refused.values()} == {f"{TOO_LITTLE}; {CHAMPION_REMAINS.format(1)}"}
    shown = town.metadata("ranker")
    assert (shown["version"], shown["promoted"], shown["champion"]) == ("2", False, "1")
    assert town.ask(PUBLISHED) == [(before + 1, "1")]


def test_older_people_are_a_warning_that_names_the_number(town: Place) -> None:
    profiles = frame(town, "profiles")
    change(town, "profiles", age=profiles["age"] + 20)
    result, found = execute(town, "scored_candidates")
    assert result.success
    said = found["profile_drift"]
    assert (said.passed, said.severity) == (False, WARN)
    assert str(said.description).startswith("age ")
    assert "of age" in str(said.description)


def test_lists_that_are_not_the_published_ones_are_noticed(town: Place) -> None:
    town.tell(
        "UPDATE matching.match_lists SET candidate_ids = ARRAY(SELECT unnest(candidate_ids) ORDER BY 1 DESC)"
        " WHERE cardinality(candidate_ids) > 3"
    )
    job = dg.define_asset_job("compare", dg.AssetSelection.checks(publication_matches_lists))
    definitions = dg.Definitions.merge(build_definitions(town.settings), dg.Definitions(jobs=[job]))
    (said,) = definitions.resolve_job_def("compare").execute_in_process().get_asset_check_evaluations()
    assert (said.passed, said.severity) == (False, ERROR)
    strange = said.metadata["strange_lists"].value
    assert isinstance(strange, int)
    assert strange > 50


@pytest.mark.parametrize(("hours", "severity"), [(27, WARN), (51, ERROR)])
def test_an_old_publication_is_a_warning_and_then_an_error(town: Place, hours: int, severity: object) -> None:
    town.tell(f"UPDATE matching.publications SET activated_at = now() - interval '{hours} hours'")
    job = build_definitions(town.settings).resolve_job_def(FRESHNESS_JOB)
    (said,) = job.execute_in_process().get_asset_check_evaluations()
    assert (said.passed, said.severity) == (False, severity)
    assert said.description == f"publication 1 has been live for {hours}.0 hours; at most 26 are usual"


def test_vectors_that_are_not_of_length_one_are_an_error() -> None:
    keys = pd.DataFrame({"profile_id": ["a", "b", "c"], "prompt": "", "text_hash": ""})
    vectors = np.zeros((3, 384), np.float16)
    vectors[0, 0], vectors[1, 5] = 1, np.nan
    said = check_embeddings_normalised(AnswerEmbeddings(keys, vectors))
    assert (said.passed, said.severity) == (False, ERROR)
    assert str(said.description).startswith("2 of 3 vectors are not of length one")
    assert check_embeddings_normalised(AnswerEmbeddings(keys[:1], vectors[:1])).passed


@pytest.mark.parametrize(
    ("rejected", "passed", "severity"), [(0, True, WARN), (5, True, WARN), (6, False, WARN), (51, False, ERROR)]
)
def test_how_many_may_be_rejected(rejected: int, passed: bool, severity: object) -> None:
    said = check_rejection_rate("profiles", 100 - rejected, rejected)
    assert (said.passed, said.severity) == (passed, severity)
