"""The main job on a simulated population: what comes out, and what a second run does not do again."""

from collections.abc import Iterator

import mlflow
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text
from upath import UPath

from models.db.publications import get_live_publication
from models.ml.profiles.answer_embeddings import AnswerEmbeddings, pool_by_profile
from models.ml.profiles.encoder import ENCODER, encode_texts, hash_content
from pipelines.assets.candidate_shards import SCORING_VERSION, fingerprint_inputs
from pipelines.assets.extract import read_profiles
from pipelines.definitions import build_registry
from pipelines.store.answer_shards import extract_answers
from pipelines.store.frame_store import read_table
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest
from pipelines.store.shards import SHARDS
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place
from tests.support.installations import copied

INELIGIBLE = """
SELECT match.viewer_id, match.candidate_id FROM matching.matches AS match
JOIN app.profiles AS viewer ON viewer.id = match.viewer_id
JOIN app.profiles AS candidate ON candidate.id = match.candidate_id
WHERE NOT matching.is_eligible(viewer, candidate, current_date)
   OR EXISTS (SELECT FROM app.interactions AS done WHERE done.actor_id = viewer.id AND done.target_id = candidate.id)
   OR EXISTS (SELECT FROM app.interactions AS done
              WHERE done.actor_id = candidate.id AND done.target_id = viewer.id AND done.kind = 'pass')
   OR EXISTS (SELECT FROM app.blocks WHERE (blocker_id, blocked_id) IN
              ((viewer.id, candidate.id), (candidate.id, viewer.id)))
"""
SHOULD_HAVE_A_LIST = """
SELECT DISTINCT viewer.id::text FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.interactions
                  WHERE actor_id = candidate.id AND target_id = viewer.id AND kind = 'pass')
  AND NOT EXISTS (SELECT FROM app.blocks WHERE (blocker_id, blocked_id) IN
                  ((viewer.id, candidate.id), (candidate.id, viewer.id)))
"""
TWO_SIDES = """
SELECT count(*), bool_and(abs(mine.p_match - theirs.p_match) < 1e-6
    AND abs(mine.p_like - theirs.p_liked_back) < 1e-6 AND abs(mine.p_match - mine.p_like * mine.p_liked_back) < 1e-6)
FROM matching.matches AS mine JOIN matching.matches AS theirs
  ON (theirs.publication_id, theirs.viewer_id, theirs.candidate_id)
   = (mine.publication_id, mine.candidate_id, mine.viewer_id)
"""


def test_one_publication_is_live_and_counts_what_it_holds(settled: Place) -> None:
    with settled.engine.connect() as connection:
        publication = get_live_publication(connection)
        assert publication is not None
        held = connection.execute(text("SELECT count(DISTINCT viewer_id), count(*) FROM matching.matches")).one()
    assert (publication.viewer_count, publication.pair_count) == tuple(held)
    assert (publication.ranker_version, publication.encoder) == ("1", ENCODER)
    assert publication.metrics["dropped_since_scoring"] == 0
    ((expected,),) = settled.ask("SELECT sum(p_match::float8) FROM matching.matches")
    assert publication.metrics["expected_matches_listed"] == pytest.approx(expected)


def test_who_can_be_matched_has_a_list_of_eligible_people(settled: Place) -> None:
    viewers = settled.ask("SELECT DISTINCT viewer_id::text FROM matching.matches")
    assert len(viewers) > 100
    assert set(viewers) == set(settled.ask(SHOULD_HAVE_A_LIST))
    assert settled.ask(INELIGIBLE) == []
    ((pairs, same),) = settled.ask(TWO_SIDES)
    assert pairs > 500
    assert same is True
    ((listed, with_reasons),) = settled.ask(
        "SELECT count(*), count(*) FILTER (WHERE jsonb_array_length(reasons) > 0) FROM matching.matches"
    )
    assert with_reasons > 0.9 * listed


def test_who_wrote_something_has_the_vector_of_it(settled: Place) -> None:
    with settled.engine.connect() as connection:
        profiles = read_profiles(connection)
    wrote = profiles[profiles["texts"].map(lambda texts: any(map(str.strip, texts.values())))]
    stored = {
        key: (hash_, vector)
        for key, hash_, vector in settled.ask(
            "SELECT profile_id::text, content_hash, embedding::text FROM matching.embeddings"
        )
    }
    assert set(stored) == set(wrote["profile_id"])
    someone = wrote.iloc[[7]]
    answers = extract_answers(someone)
    (known,) = pool_by_profile(
        AnswerEmbeddings(answers.drop(columns="text"), encode_texts(list(answers["text"])).astype(np.float16))
    )[1]
    hash_, vector = stored[someone["profile_id"].item()]
    assert hash_ == hash_content(someone["texts"].item())
    assert [float(number) for number in str(vector).strip("[]").split(",")] == pytest.approx(known, abs=2e-3)


def test_the_ranker_is_in_mlflow_with_its_data_and_metrics(settled: Place) -> None:
    registry = build_registry(settled.settings)
    assert registry.find_champion_version() == "1"
    client = mlflow.MlflowClient(registry.tracking_uri)
    run = client.get_run(str(client.get_model_version_by_alias("ranker", "champion").run_id))
    assert run.info.status == "FINISHED"
    ((decisions, rows),) = settled.ask("SELECT count(DISTINCT (actor_id, target_id)), count(*) FROM app.interactions")
    parameters = dict(run.data.params)
    assert parameters.pop("versions")
    assert int(parameters.pop("trees")) > 0
    assert len(parameters.pop("data_fingerprint")) == 16
    assert parameters == {
        "seed": "0",
        "learned": "True",
        "profiles": "150",
        "promoted": "True",
        "use_race_and_ethnicity": "False",
        "grow_on_cluster": "False",
        "decisions": str(decisions),
        "app.profiles": "150",
        "app.interactions": str(rows),
    }
    name = "within_viewer_auc"
    reached = {each.removesuffix(f".{name}"): value for each, value in run.data.metrics.items() if each.endswith(name)}
    assert set(reached) == {"ranker", "ridge", "random", "popularity", "interest_cosine"}
    assert reached["ranker"] > reached["random"]
    assert run.data.metrics["ranker.calibration_error"] < 0.1


def test_scores_of_another_version_of_the_code_are_not_kept(settled: Place) -> None:
    home = Workspace(settled.settings)
    table = read_table(UPath(settled.home / "store" / "profile_embeddings.parquet"))
    blocks = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)
    inputs = (home.profiles, home.interactions, ShardManifest.from_table(table), blocks, home.rankers.full)
    before = fingerprint_inputs(*inputs)
    assert fingerprint_inputs(*inputs) == before
    assert fingerprint_inputs(*inputs, scoring_version=SCORING_VERSION + 1) != before


@pytest.fixture(scope="module")
def repeated(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of an installation after a run, run again with nothing changed in between."""
    with copied(settled, databases, tmp_path_factory.mktemp("repeated")) as place:
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
    first = repeated.ask(lists, publication=1)
    assert len(first) > 100
    assert repeated.ask(lists, publication=2) == first
    states = repeated.ask("SELECT id, state FROM matching.publications ORDER BY id")
    assert states == [(1, "retired"), (2, "live")]


def test_another_version_of_the_same_ranker_scores_nothing_again(repeated: Place) -> None:
    registry = build_registry(repeated.settings)
    other = "2" if registry.find_champion_version() == "1" else "1"
    registry.promote(other)  # trained by the other of the two runs, on the same data
    repeated.materialize("scored_candidates")
    scored = repeated.metadata("scored_candidates")
    assert (scored["pairs_scored"], scored["shards_kept"]) == (0, SHARDS)
    manifest = ScoreManifest.from_table(read_table(UPath(repeated.home / "store" / "scored_candidates.parquet")))
    assert manifest.ranker_version == other


def test_after_an_edit_only_what_is_new_is_encoded(repeated: Place) -> None:
    embedding = "SELECT profile_id, updated_at FROM matching.embeddings"
    before = dict(repeated.ask(embedding))
    ((person, prompt),) = repeated.ask(
        "SELECT id, (SELECT min(prompt) FROM jsonb_object_keys(texts) AS prompt) FROM app.profiles"
        " WHERE texts <> '{}' ORDER BY id LIMIT 1"
    )
    repeated.tell(
        "UPDATE app.profiles SET updated_at = now(), texts = jsonb_set(texts, ARRAY[:prompt], to_jsonb("
        "CAST('I restore wooden boats on the shore.' AS text))) WHERE id = :person",
        prompt=prompt,
        person=person,
    )
    repeated.materialize("profiles", "rejected_profiles", "profile_embeddings")
    embedded = repeated.metadata("profile_embeddings")
    assert (embedded["answers_encoded"], embedded["vectors_stored"]) == (1, 1)
    assert {key for key, moment in repeated.ask(embedding) if before[key] != moment} == {person}


# What Dagster draws over time of each asset, by the names that it draws it by.
PLOTTED = {
    "profiles": {"dagster/row_count", "rejected_share"},
    "rejected_profiles": {"dagster/row_count"},
    "interactions": {"dagster/row_count", "rejected_share"},
    "rejected_interactions": {"dagster/row_count"},
    "profile_embeddings": {
        *("profiles", "answers", "answers_encoded", "vectors_stored", "answers_encoded_a_second"),
    },
    "training_pairs": {"dagster/row_count", "likes", "like_rate"},
    "ranker": {
        *("decisions", "ranker.within_viewer_auc", "ranker.log_loss", "ranker.calibration_error"),
        *("ridge.within_viewer_auc", "popularity.within_viewer_auc", "interest_cosine.within_viewer_auc"),
    },
    "scored_candidates": {"pairs", "pairs_scored", "shards_kept"},
    "match_lists": {
        *("dagster/row_count", "pairs", "most_compatible_viewers", "expected_matches", "expected_matches_flat"),
        *("people_matched", "views_gini", "views_top_share", "over_product", "lost_if_inboxes_are_flat"),
    },
    "publication": {"viewers", "pairs", "expected_matches_listed", "dropped_since_scoring"},
}


def test_what_is_plotted_is_a_number(settled: Place) -> None:
    for asset, names in PLOTTED.items():
        shown = settled.metadata(asset)
        asked = names | (set() if asset.startswith("rejected") else {"seconds"})
        assert asked <= set(shown)
        assert {name for name in asked if type(shown[name]) not in (int, float)} == set()
    scored = settled.metadata("scored_candidates")
    assert scored["pairs"] == scored["pairs_scored"]
    assert int(str(scored["pairs"])) > 500
