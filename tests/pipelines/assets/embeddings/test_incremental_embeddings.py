"""A user joins between two nightly runs: the sensor, its job and the API with the real encoder and database."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from upath import UPath

from models.db.rows.embedding_rows import find_pending
from models.ml.profiles.encoders.encoder import DEFAULT_ENCODER
from pipelines.assets.embeddings import incremental_embeddings
from pipelines.assets.embeddings.incremental_embeddings import INCREMENTAL_JOB, new_profile_sensor
from pipelines.definitions import build_definitions
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import EncodingTask, encode_shard
from pipelines.store.frame_store import read_table
from tests.pipelines.conftest import Databases, Place
from tests.serving.conftest import serving, token_for
from tests.support.places import copied

JOIN = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, texts, latitude, longitude)
VALUES (CAST(:id AS uuid), 'Newcomer', CAST(:born AS date), 'woman', '{man,woman,nonbinary}', jsonb_build_object(
    'About me', 'I restore wooden boats and sail them far out.',
    'Ask me about', CAST(CAST(:id AS uuid) AS text)), 47.37, 8.54)
"""
EDIT = """
UPDATE app.profiles SET texts = jsonb_build_object('About me', CAST(:word AS text)), updated_at = {}
WHERE id = (SELECT id FROM app.profiles WHERE source_key IS NOT NULL ORDER BY id LIMIT 1 OFFSET :number)
"""
STORED = "SELECT count(*) FROM matching.embeddings WHERE profile_id = %(person)s"
NOTHING_TO_DO = {"answers_encoded": 0, "vectors_stored": 0, "left_to_the_night": 0}


@pytest.fixture
def app(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled population, to be changed."""
    with copied(settled, databases, tmp_path / "home") as place:
        yield place


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def join(place: Place, born: str = "1990-01-01") -> uuid.UUID:
    person = uuid.uuid4()
    place.tell(JOIN, id=str(person), born=born)
    return person


def evaluate(place: Place, instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[int | None, str | None]:
    """How many pending users the sensor asks a run for, None if it asks for none; and its cursor afterwards."""
    database = DatabaseResource(home=str(place.home), url=place.database_url)
    context = dg.build_sensor_context(instance, cursor=cursor, resources={"database": database})
    asked = new_profile_sensor(context)
    assert isinstance(asked, dg.RunRequest | dg.SkipReason)
    return (int(asked.tags["people"]) if isinstance(asked, dg.RunRequest) else None), context.cursor


def embed(place: Place, instance: dg.DagsterInstance) -> dict[str, object]:
    """Run the job; what it observed."""
    result = build_definitions(place.settings).resolve_job_def(INCREMENTAL_JOB).execute_in_process(instance=instance)
    (event,) = (each for each in result.all_events if each.is_asset_observation)
    return {name: value.value for name, value in event.asset_observation_data.asset_observation.metadata.items()}


def test_a_new_user_has_similar_users_and_is_encoded_once(
    app: Place, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    ((before,),) = app.ask("SELECT count(*) FROM matching.embeddings")
    assert evaluate(app, instance) == (None, None)
    person = join(app)
    asked, cursor = evaluate(app, instance)
    assert asked == 1
    assert str(person) not in str(cursor)
    with serving(app.database_url, tmp_path / "log") as api:
        assert api.get("/v1/me/similar", token_for(person)).json()["matches"] == []
        assert embed(app, instance) == {"answers_encoded": 2, "vectors_stored": 1, "left_to_the_night": 0}
        assert len(api.get("/v1/me/similar", token_for(person)).json()["matches"]) > 5
        assert {match["source"] for match in api.matches(person).json()["matches"]} == {"similar"}
    assert evaluate(app, instance, cursor)[0] is None
    assert embed(app, instance) == NOTHING_TO_DO
    app.materialize("profiles", "rejected_profiles", "profile_embeddings")
    night = app.metadata("profile_embeddings")
    assert (night["profiles"], night["answers_encoded"], night["vectors_stored"]) == (before + 1, 0, 0)


def test_a_profile_that_breaks_the_contract_starts_one_job_only(app: Place, instance: dg.DagsterInstance) -> None:
    child, adult = join(app, born="2020-01-01"), join(app)
    asked, cursor = evaluate(app, instance)
    assert asked == 2
    assert embed(app, instance) == {"answers_encoded": 2, "vectors_stored": 1, "left_to_the_night": 1}
    assert (app.ask(STORED, person=child), app.ask(STORED, person=adult)) == ([(0,)], [(1,)])
    _, cursor = evaluate(app, instance, cursor)
    for _ in range(2):
        later, cursor = evaluate(app, instance, cursor)
        assert later is None
    join(app)
    assert evaluate(app, instance, cursor)[0] == 2


STAMPS = ["now() + interval '3 hours'", "'infinity'", "'2001-01-01'", "'-infinity'", "updated_at"]
# An earlier version kept the moment of the newest edit.
CURSORS = [None, "2999-01-01 00:00:00+00", "infinity", "nonsense"]


def test_no_timestamp_hides_who_joins(app: Place, instance: dg.DagsterInstance) -> None:
    for cursor in CURSORS:
        for number, stamp in enumerate(STAMPS):
            app.tell(EDIT.format(stamp), word=f"I like number {number} and {cursor}.", number=number)
            asked, kept = evaluate(app, instance, cursor)
            assert asked
            join(app)
            assert evaluate(app, instance, kept)[0]
    assert embed(app, instance)["vectors_stored"] == len(STAMPS) + len(STAMPS) * len(CURSORS)
    assert evaluate(app, instance, kept)[0] is None


def test_other_edits_and_vectors_of_earlier_versions(app: Place, instance: dg.DagsterInstance) -> None:
    app.tell("UPDATE app.profiles SET paused = true, updated_at = now() WHERE source_key LIKE '%\\:7'")
    assert evaluate(app, instance)[0] is None
    with app.engine.connect() as connection:
        assert find_pending(connection, DEFAULT_ENCODER) == {}
    app.tell("UPDATE matching.embeddings SET texts_hash = NULL")
    asked, cursor = evaluate(app, instance)
    assert asked
    assert embed(app, instance) == NOTHING_TO_DO
    assert evaluate(app, instance, cursor)[0] is None


def test_before_a_publication_no_user_is_new(place: Place, instance: dg.DagsterInstance) -> None:
    join(place)
    assert evaluate(place, instance) == (None, None)


def test_a_user_erased_during_encoding_is_not_left_on_disk(
    app: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = join(app), join(app)

    def encode_and_erase(shard: EncodingTask) -> int:
        encoded = encode_shard(shard)
        app.tell("DELETE FROM app.profiles WHERE id = :id", id=str(gone))
        return encoded

    monkeypatch.setattr(incremental_embeddings, "encode_shard", encode_and_erase)
    assert embed(app, instance)["vectors_stored"] == 1
    folder = UPath(app.home / "store" / "shards" / "profile_embeddings")
    stored = {each for path in folder.glob("*.parquet") for each in read_table(path)["profile_id"].to_pylist()}
    assert str(there) in stored
    assert str(gone) not in stored
