"""A canary in every body, id and name: after a night none is anywhere but where it belongs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from models.db.erasure import erase_profile
from models.db.schema import tables
from models.ml.conversations.frames import FACT_TYPES
from pipelines.assets.conversations.fact_shards import load_facts
from pipelines.loaders.simulation import simulated_loader
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.store_erasure import erase_from_store
from pipelines.store.store_export import export_from_store
from tests.pipelines.conftest import Databases, Place

BODY, NAME, REASON = "canarybody", "Canaryname", "canaryreason"
CONVERSATION, MESSAGE, PERSON = "cafecafe", "beefbeef", "feedfeed"
"""How the ids begin."""
CANARIES = (BODY, NAME, REASON, CONVERSATION, MESSAGE, PERSON)
TELL = (
    f"UPDATE app.profiles SET id = ('{PERSON}' || substr(id::text, 9))::uuid, display_name = '{NAME}' || source_key",
    # Every pair of a woman and a man whose keys end alike; half of them allow their words to be counted.
    f"""INSERT INTO app.conversations (id, person_a, person_b, matched_at, content_allowed)
    SELECT ('{CONVERSATION}' || substr(gen_random_uuid()::text, 9))::uuid, a.id, b.id, now() - interval '20 days',
           row_number() OVER () % 2 = 0
    FROM app.profiles AS a JOIN app.profiles AS b ON a.id < b.id ORDER BY a.id, b.id LIMIT 40""",
    f"""INSERT INTO app.messages (id, conversation_id, sender_id, sent_at)
    SELECT ('{MESSAGE}' || substr(gen_random_uuid()::text, 9))::uuid, id,
           CASE WHEN n % 3 = 0 THEN person_a ELSE person_b END, matched_at + n * interval '1 hour'
    FROM app.conversations, generate_series(1, 15) AS n""",
    # Beyond the contract as well: what is refused is named by its reason alone.
    f"""INSERT INTO app.messages (id, conversation_id, sender_id, kind)
    SELECT ('{MESSAGE}' || substr(gen_random_uuid()::text, 9))::uuid, id, person_a, '{REASON}'
    FROM app.conversations""",
    f"""INSERT INTO app.message_texts SELECT id, '{BODY}, shall we meet tomorrow? Call +49 30 901820 ' || id
    FROM app.messages""",
    f"""INSERT INTO app.reports (reporter_id, reported_id, reason) SELECT person_a, person_b, '{REASON}'
    FROM app.conversations""",
    """INSERT INTO app.outcomes (conversation_id, person_id, kind) SELECT id, person_a, 'met' FROM app.conversations""",
)


@pytest.fixture(scope="module")
def night(databases: Databases, empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A small town with canaries, after its first night."""
    with databases() as url:
        place = Place(shutil.copytree(empty_home, tmp_path_factory.mktemp("canaries") / "home"), url)
        simulated_loader.load_simulated(place.engine, 60, 3, place.home)
        place.tell("DELETE FROM app.conversations", "DELETE FROM app.blocks")  # they would refer to the ids of before
        place.tell("ALTER TABLE app.interactions DISABLE TRIGGER ALL", *_move_ids(), *TELL)
        place.run()
        yield place


def _move_ids() -> Iterator[str]:
    """Give the people ids that begin alike, and keep who decided on whom."""
    for column in ("actor_id", "target_id"):
        yield f"UPDATE app.interactions SET {column} = ('{PERSON}' || substr({column}::text, 9))::uuid"


def read_everything(home: Path) -> Iterator[tuple[Path, str]]:
    """Everything on disk as text, Parquet files by their cells."""
    for path in (each for each in home.rglob("*") if each.is_file()):
        if path.suffix == ".parquet":
            yield path, str(pq.read_table(path).to_pylist())
        else:
            yield path, path.read_bytes().decode("utf-8", "replace")


def test_no_canary_leaves_its_place(night: Place) -> None:
    store = night.home / "store"
    everything = [(path, content.lower()) for path, content in read_everything(night.home)]
    seen = {word: {path for path, content in everything if word.lower() in content} for word in CANARIES}
    assert [word for word in (BODY, NAME, REASON, MESSAGE) if seen[word]] == []
    assert seen[PERSON], "frames name people by their ids"
    for path in seen[CONVERSATION] | seen[PERSON]:
        assert store in path.parents, path
    conversation_files = {path.stem if path.parent == store else path.parent.name for path in seen[CONVERSATION]}
    assert conversation_files == {"conversations", "conversation_facts", "conversation_outcomes"}


def test_no_canary_is_in_the_database_outside_app(night: Place) -> None:
    names = [f"matching.{table.name}" for table in tables.metadata.sorted_tables if table.schema == "matching"]
    for name in names:
        for word in (BODY, NAME, REASON, MESSAGE):
            assert night.ask(f"SELECT count(*) FROM {name} AS t WHERE t::text ILIKE '%{word}%'") == [(0,)], (name, word)


def test_words_are_counted_where_both_agreed_only(night: Place) -> None:
    facts = night.ask(
        "SELECT content_allowed, questions_a, questions_b, plan, contact, messages_a + messages_b, count(*)"
        " FROM matching.conversation_facts JOIN app.conversations ON id = conversation_id GROUP BY 1, 2, 3, 4, 5, 6"
    )
    assert sorted(facts) == [(False, -1, -1, -1, -1, 15, 20), (True, 5, 10, 1, 1, 15, 20)]
    reported = night.metadata("conversation_facts")
    assert (reported["texts_read"], reported["texts_without_consent"], reported["texts_readable"]) == (300, 320, True)
    assert reported["reasons"] == {"kind must be text, photo, voice or call": 40}
    outcomes = pd.read_parquet(night.home / "store" / "conversation_outcomes.parquet")
    assert outcomes[["mature", "reached_5", "reached_20", "met"]].mean().tolist() == [1, 1, 0, 1]


def test_the_frame_has_the_types_of_its_contract(night: Place) -> None:
    manifest = ShardManifest.from_table(pq.read_table(night.home / "store" / "conversation_facts.parquet"))
    facts = load_facts(manifest)
    assert (len(manifest.urls), len(facts)) == (16, 40)
    assert dict(facts.dtypes.astype(str)) == dict(FACT_TYPES)


def test_a_person_s_export_and_erasure_name_the_same_files(night: Place) -> None:
    """Last, because it erases."""
    ((person,),) = night.ask("SELECT person_a::text FROM app.conversations ORDER BY id LIMIT 1")
    printed = json.loads(night.command("export", person).stdout)
    exported = printed["files"]
    assert exported == json.loads(json.dumps(export_from_store(night.settings, person)))
    assert printed["database"]["profile"][0]["id"] == person
    bodies = [row["body"] for row in printed["database"]["message_texts"]]
    sent = night.ask("SELECT count(*) FROM app.messages WHERE sender_id = %(person)s", person=person)
    assert [(len(bodies),)] == sent
    assert exported["conversation_facts"]
    assert {"conversations", "conversation_outcomes", "profiles", "match_lists"} <= exported.keys()
    assert not {"median_reply_b_h", "questions_b"} & exported["conversation_facts"][0].keys()
    files = {path for path, content in read_everything(night.home / "store") if person in content}
    assert exported.keys() == {path.stem if path.parent.name == "store" else path.parent.name for path in files}
    with night.engine.begin() as connection:
        erased = erase_profile(connection, person)
    assert erased.conversations == erased.conversation_facts > 0
    assert erase_from_store(night.settings, person) == len(files)
    assert export_from_store(night.settings, person) == {}
    assert [path for path, content in read_everything(night.home / "store") if person in content] == []
    assert night.ask(f"SELECT FROM matching.conversation_facts AS t WHERE t::text LIKE '%{person}%'") == []
