"""Somebody joins between two nightly runs: the sensor, its job, and the API with the real encoder and database."""

import shutil
import uuid
from collections.abc import Iterator

import dagster as dg
import pytest
from upath import UPath

from models.db.embedding_rows import FIND_PENDING
from pipelines.assets import incremental_embeddings
from pipelines.assets.incremental_embeddings import INCREMENTAL_JOB, new_profile_sensor
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.definitions import build_definitions
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import EncodingTask, encode_shard
from pipelines.store.frame_store import read_table
from tests.pipelines.conftest import Databases, Place
from tests.serving.conftest import serving, token_for

JOIN = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, texts, latitude, longitude)
VALUES (CAST(:id AS uuid), 'Newcomer', CAST(:born AS date), 'woman', '{man,woman,nonbinary}', jsonb_build_object(
    'About me', 'I restore wooden boats and sail them far out.',
    'Ask me about', CAST(CAST(:id AS uuid) AS text)), 47.37, 8.54)
"""
STORED = "SELECT count(*) FROM matching.embeddings WHERE profile_id = %(person)s"


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of the settled town, to be changed."""
    home = tmp_path_factory.mktemp("newcomers") / "home"
    shutil.copytree(settled.home, home, ignore=shutil.ignore_patterns("dagster"))
    with databases(settled.database_url) as url:
        yield Place(home, url)


def join(town: Place, born: str = "1990-01-01") -> uuid.UUID:
    person = uuid.uuid4()
    town.tell(JOIN, id=str(person), born=born)
    return person


def look(
    town: Place, instance: dg.DagsterInstance, cursor: str | None = None
) -> tuple[dg.RunRequest | str, str | None]:
    """What the sensor asks for, or why it does not, and its cursor afterwards."""
    database = DatabaseResource(home=str(town.home), url=town.database_url)
    context = dg.build_sensor_context(instance, cursor=cursor, resources={"database": database})
    asked = new_profile_sensor(context)
    assert isinstance(asked, dg.RunRequest | dg.SkipReason)
    return (asked if isinstance(asked, dg.RunRequest) else str(asked.skip_message)), context.cursor


def embed(town: Place, instance: dg.DagsterInstance) -> dict[str, object]:
    """Run the job; what it observed."""
    result = build_definitions(town.settings).resolve_job_def(INCREMENTAL_JOB).execute_in_process(instance=instance)
    (event,) = (each for each in result.all_events if each.is_asset_observation)
    return {name: value.value for name, value in event.asset_observation_data.asset_observation.metadata.items()}


def test_who_joined_is_shown_similar_people_and_not_encoded_again_at_night(
    town: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ((before,),) = town.ask("SELECT count(*) FROM matching.embeddings")
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(town.settings))) as instance:
        assert look(town, instance) == ("nobody joined or wrote anything since", None)
        person = join(town)
        asked, cursor = look(town, instance)
        assert isinstance(asked, dg.RunRequest)
        assert asked.tags["people"] == "1"
        assert str(person) not in str(cursor)
        with serving(town.database_url, tmp_path_factory.mktemp("api") / "log") as api:
            assert api.get("/v1/me/similar", token_for(person)).json()["matches"] == []
            assert embed(town, instance) == {"answers_encoded": 2, "vectors_stored": 1, "left_to_the_night": 0}
            similar = api.get("/v1/me/similar", token_for(person)).json()["matches"]
            assert len(similar) > 5
            assert {match["source"] for match in api.matches(person).json()["matches"]} == {"similar"}
        assert look(town, instance, cursor)[0] == "nobody joined or wrote anything since"
        assert embed(town, instance) == {"answers_encoded": 0, "vectors_stored": 0, "left_to_the_night": 0}
    town.materialize("profiles", "rejected_profiles", "profile_embeddings")
    night = town.metadata("profile_embeddings")
    assert (night["profiles"], night["answers_encoded"], night["vectors_stored"]) == (before + 1, 0, 0)


def test_who_breaks_the_contract_is_left_to_the_night_and_starts_no_job_again(town: Place) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        child, grown = join(town, born="2020-01-01"), join(town)
        first, cursor = look(town, instance)
        assert isinstance(first, dg.RunRequest)
        assert embed(town, instance) == {"answers_encoded": 2, "vectors_stored": 1, "left_to_the_night": 1}
        assert town.ask(STORED, person=child) == [(0,)]
        assert town.ask(STORED, person=grown) == [(1,)]
        _, cursor = look(town, instance, cursor)
        for _ in range(3):
            later, cursor = look(town, instance, cursor)
            assert later == "nobody else joined or wrote anything since; 1 are left to the night"
        join(town)
        assert isinstance(look(town, instance, cursor)[0], dg.RunRequest)


STAMPS = ["now() + interval '3 hours'", "'infinity'", "'2001-01-01'", "'-infinity'", "updated_at"]
# What an earlier version kept: the moment of the newest edit.
CURSORS = [None, "2999-01-01 00:00:00+00", "infinity", "nonsense"]


def test_no_stamp_of_anybody_hides_who_joins(town: Place) -> None:
    edit = "UPDATE app.profiles SET texts = jsonb_build_object('About me', CAST(:word AS text)), updated_at = "
    settled = "SELECT id FROM app.profiles WHERE source_key LIKE 'simulated\\:%' ORDER BY id"
    somebody = f" WHERE id = ({settled} LIMIT 1 OFFSET :number)"
    with dg.DagsterInstance.ephemeral() as instance:
        for cursor in CURSORS:
            for number, stamp in enumerate(STAMPS):
                town.tell(edit + stamp + somebody, word=f"I like number {number} and {cursor}.", number=number)
                asked, kept = look(town, instance, cursor)
                assert isinstance(asked, dg.RunRequest)
                join(town)
                again, _ = look(town, instance, kept)
                assert isinstance(again, dg.RunRequest)
        assert embed(town, instance)["vectors_stored"] == len(STAMPS) + len(STAMPS) * len(CURSORS)
        assert look(town, instance, kept)[0] == "nobody joined or wrote anything since"


def test_an_edit_of_something_else_starts_nothing(town: Place) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        town.tell("UPDATE app.profiles SET paused = true, updated_at = now() WHERE source_key LIKE '%\\:7'")
        assert look(town, instance)[0] == "nobody joined or wrote anything since"
        assert town.ask(FIND_PENDING) == []


def test_vectors_of_an_earlier_version_are_confirmed_and_not_made_again(town: Place) -> None:
    town.tell("UPDATE matching.embeddings SET texts_hash = NULL")
    with dg.DagsterInstance.ephemeral() as instance:
        asked, cursor = look(town, instance)
        assert isinstance(asked, dg.RunRequest)
        assert embed(town, instance) == {"answers_encoded": 0, "vectors_stored": 0, "left_to_the_night": 0}
        assert look(town, instance, cursor)[0] == "nobody joined or wrote anything since"


def test_before_anything_is_published_nobody_is_new(place: Place) -> None:
    join(place)
    with dg.DagsterInstance.ephemeral() as instance:
        said, cursor = look(place, instance)
    assert said == "nothing is published yet: the first `matching run` gives everybody a vector"
    assert cursor is None


def test_who_is_erased_while_their_answers_are_encoded_is_not_left_on_disk(
    town: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = join(town), join(town)

    def encode_while_somebody_leaves(shard: EncodingTask) -> int:
        encoded = encode_shard(shard)
        town.tell("DELETE FROM app.profiles WHERE id = :id", id=str(gone))
        return encoded

    monkeypatch.setattr(incremental_embeddings, "encode_shard", encode_while_somebody_leaves)
    with dg.DagsterInstance.ephemeral() as instance:
        assert embed(town, instance)["vectors_stored"] == 1
    folder = UPath(town.home / "store" / "shards" / "profile_embeddings")
    stored = {each for path in folder.glob("*.parquet") for each in read_table(path)["profile_id"].to_pylist()}
    assert str(there) in stored
    assert str(gone) not in stored
