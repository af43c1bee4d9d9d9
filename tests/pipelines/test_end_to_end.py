"""The main job on a simulated population: what comes out, and what a second run does not do again."""

import base64
from collections.abc import Iterator

import dagster as dg
import mlflow
import pandas as pd
import pytest
from sqlalchemy import text
from upath import UPath

from models.db.publications import get_live_publication
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from pipelines.assets.candidate_shards import SCORING_VERSION, fingerprint_inputs
from pipelines.assets.embeddings.incremental_embeddings import INCREMENTAL_JOB
from pipelines.assets.extract import read_profiles
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, build_definitions, build_registry, list_assets_without_training
from pipelines.store.frame_store import read_table
from pipelines.store.registry.model_registry import FOR_TRAINING, NOTE_TAG, REFERENCE
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest
from pipelines.store.shards import SHARDS
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place
from tests.support.places import copied

PICTURES = ("calibration", "lift_by_decile", "contributions")
# By the database's own rule, and what users did.
ELIGIBLE = """
SELECT viewer.id::text, candidate.id::text FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.interactions
                  WHERE actor_id = candidate.id AND target_id = viewer.id AND kind = 'pass')
  AND NOT EXISTS (SELECT FROM app.blocks WHERE (blocker_id, blocked_id) IN
                  ((viewer.id, candidate.id), (candidate.id, viewer.id)))
"""


def test_one_publication_is_live_and_counts_what_it_holds(settled: Place) -> None:
    with settled.engine.connect() as connection:
        publication = get_live_publication(connection)
        assert publication is not None
        held = connection.execute(text("SELECT count(DISTINCT viewer_id), count(*) FROM matching.matches")).one()
    assert (publication.viewer_count, publication.pair_count) == tuple(held)
    assert (publication.ranker_version, publication.encoder) == ("1", MINILM.setting)
    assert publication.metrics["dropped_since_scoring"] == 0
    ((expected,),) = settled.ask("SELECT sum(p_match::float8) FROM matching.matches")
    assert publication.metrics["p_match_summed_over_lists"] == pytest.approx(expected)


def test_who_can_be_matched_has_a_list_of_eligible_people(settled: Place) -> None:
    eligible = set(settled.ask(ELIGIBLE))
    pairs = set(settled.ask("SELECT viewer_id::text, candidate_id::text FROM matching.matches"))
    assert pairs <= eligible
    assert {viewer for viewer, _ in pairs} == {viewer for viewer, _ in eligible}
    assert len(pairs) > 500
    ((listed, with_reasons),) = settled.ask(
        "SELECT count(*), count(*) FILTER (WHERE jsonb_array_length(reasons) > 0) FROM matching.matches"
    )
    assert with_reasons > 0.9 * listed


def test_who_wrote_something_has_a_vector_of_it(settled: Place) -> None:
    with settled.engine.connect() as connection:
        profiles = read_profiles(connection).set_index("profile_id")
    wrote = profiles["texts"][profiles["texts"].map(lambda texts: any(map(str.strip, texts.values())))]
    assert dict(settled.ask("SELECT profile_id::text, content_hash FROM matching.embeddings")) == dict(
        wrote.map(open_encoder(MINILM).hash_content)
    )


def is_picture(shown: object) -> bool:
    return base64.b64decode(str(shown).partition("base64,")[2].rstrip(")")).startswith(b"\x89PNG")


def test_the_ranker_is_in_mlflow_with_its_data_and_metrics(settled: Place) -> None:
    registry = build_registry(settled.settings)
    assert registry.find_champion_version() == "1"
    client = mlflow.MlflowClient(registry.tracking_uri)
    run = client.get_run(str(client.get_model_version_by_alias("ranker", "champion").run_id))
    assert run.info.status == "FINISHED"
    ((decisions, rows),) = settled.ask("SELECT count(DISTINCT (actor_id, target_id)), count(*) FROM app.interactions")
    assert run.data.params["data_fingerprint"]
    recorded = {name: run.data.params[name] for name in ("seed", "decisions", "app.profiles", "app.interactions")}
    assert recorded == {
        "seed": "0",
        "decisions": str(decisions),
        "app.profiles": "150",
        "app.interactions": str(rows),
    }
    name = "within_viewer_auc"
    reached = {each.removesuffix(f".{name}"): value for each, value in run.data.metrics.items() if each.endswith(name)}
    differences = {each for each in reached if each.startswith("ranker_minus_")}
    assert set(reached) - differences == {"ranker", "ridge", "random", "popularity", "interest_cosine"}
    assert reached["ranker"] > reached["random"]
    assert run.data.metrics["ranker.calibration_error"] < 0.1
    kept = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert kept >= {*(f"{name}.png" for name in PICTURES), "evaluation.json", REFERENCE}
    known = client.load_table(run.info.experiment_id, "evaluation.json", [run.info.run_id])["known"]
    assert {"half of all", "any", "0"} <= set(known)
    assert f"/runs/{run.data.tags['dagster_run_id']})" in run.data.tags[NOTE_TAG]
    shown = settled.metadata("ranker")
    assert all(is_picture(shown[name]) for name in PICTURES)
    assert str(shown["mlflow"]).startswith(registry.get_page().removesuffix(FOR_TRAINING))
    assert run.info.run_id in str(shown["mlflow"])
    assert is_picture(settled.metadata("profile_embeddings")["map"])


def test_scores_of_another_version_of_the_code_are_not_kept(settled: Place) -> None:
    home = Workspace(settled.settings)
    table = read_table(UPath(settled.home / "store" / "profile_embeddings.parquet"))
    blocks = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)
    absent, manifest = pd.DataFrame({"profile_id": []}, dtype=str), ShardManifest.from_table(table)
    inputs = (home.profiles, home.interactions, manifest, blocks, absent, home.rankers.full)
    before = fingerprint_inputs(*inputs)
    assert fingerprint_inputs(*inputs) == before
    assert fingerprint_inputs(*inputs, scoring_version=SCORING_VERSION + 1) != before


# The encoder cannot read it.
THAI = "ฉันชอบเดินป่าบนภูเขาทุกสุดสัปดาห์กับสุนัขของฉัน"


@pytest.fixture(scope="module")
def repeated(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of an installation that was run twice, with nothing changed in between."""
    with copied(settled, databases, tmp_path_factory.mktemp("repeated") / "home") as place:
        # The scores of a copy are new, as their fingerprint covers where the vectors are.
        run_job(place.settings, NIGHTLY_JOB, list_assets_without_training())
        place.run()
        yield place


def test_a_second_run_computes_nothing_again_and_publishes_the_same(repeated: Place) -> None:
    embedded = repeated.metadata("profile_embeddings")
    assert (embedded["answers_encoded"], embedded["vectors_stored"]) == (0, 0)
    scored = repeated.metadata("scored_candidates")
    assert (scored["pairs_scored"], scored["shards_kept"]) == (0, SHARDS)
    lists = (
        "SELECT viewer_id, rank, candidate_id, p_like, p_match, reasons FROM matching.matches"
        " WHERE publication_id = %(publication)s ORDER BY 1, 2"
    )
    first = repeated.ask(lists, publication=2)
    assert len(first) > 100
    assert repeated.ask(lists, publication=3) == first
    states = repeated.ask("SELECT id, state FROM matching.publications ORDER BY id")
    assert states == [(1, "retired"), (2, "retired"), (3, "live")]


def test_another_version_of_the_same_ranker_scores_nothing_again(repeated: Place) -> None:
    registry = build_registry(repeated.settings)
    other = "2" if registry.find_champion_version() == "1" else "1"
    registry.promote(other)  # trained by the other of the two runs, on the same data
    repeated.materialize("scored_candidates")
    scored = repeated.metadata("scored_candidates")
    assert (scored["pairs_scored"], scored["shards_kept"]) == (0, SHARDS)
    manifest = ScoreManifest.from_table(read_table(UPath(repeated.home / "store" / "scored_candidates.parquet")))
    assert manifest.ranker_version == other


EDIT = """
UPDATE app.profiles SET updated_at = now(), texts = jsonb_build_object('About me', CAST(:answer AS text))
WHERE id = CAST(:person AS uuid)
"""


def test_after_an_edit_only_what_is_new_is_encoded(repeated: Place) -> None:
    embedding = "SELECT profile_id::text, updated_at FROM matching.embeddings"
    before = dict(repeated.ask(embedding))
    person, unreadable, other = sorted(before)[:3]
    repeated.tell(EDIT, person=person, answer="I restore wooden boats on the shore.")
    repeated.tell(EDIT, person=unreadable, answer=THAI)
    repeated.materialize("profiles", "rejected_profiles", "profile_embeddings")
    embedded = repeated.metadata("profile_embeddings")
    assert (embedded["answers_encoded"], embedded["vectors_stored"]) == (1, 1)
    after = dict(repeated.ask(embedding))
    assert before.keys() - after.keys() == {unreadable}
    assert {key for key, moment in after.items() if before[key] != moment} == {person}

    # The job for new profiles takes the vector away, too.
    repeated.tell(EDIT, person=other, answer=THAI)
    job = build_definitions(repeated.settings).resolve_job_def(INCREMENTAL_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            assert job.execute_in_process(instance=instance).success
            assert after.keys() - dict(repeated.ask(embedding)).keys() == {other}
