"""After an erasure nothing of the user is left: in the database, in a frame, in a shard, in files of a dead writer."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from upath import UPath

from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.scoring.list_frames import iterate_records
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, list_assets_without_training
from pipelines.loaders.simulation import simulated_loader
from pipelines.resources import ShardStore
from pipelines.store import store_erasure
from pipelines.store.answer_shards import encode_shard, load_answers, plan_encoding
from pipelines.store.frame_store import TEMPORARY_SUFFIX, convert_from_table, convert_to_table, read_table, write_table
from pipelines.store.run_lock import exclusive_run
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import build_manifest, find_missing
from pipelines.store.store_erasure import erase_from_store, purge_deleted_profiles
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.test_cli import refused
from tests.support.installations import copied

TABLES_WITH_TEXT = """
SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_schema IN ('app', 'matching') AND table_type = 'BASE TABLE' ORDER BY 1
"""


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy after a run, to be changed."""
    with copied(settled, databases, tmp_path) as place:
        yield place


def holds(table: pa.Table, word: str) -> bool:
    """Whether a word is anywhere in a table: in a cell, or in a dictionary that no cell refers to any more."""
    unused = [
        chunk.dictionary.to_pylist()
        for column in table.columns
        for chunk in column.chunks
        if pa.types.is_dictionary(chunk.type)
    ]
    return word in str(table.to_pylist()) + str(unused) + str(table.schema.metadata)


def files_with(place: Place, word: str) -> set[str]:
    store = place.home / "store"
    return {str(path.relative_to(store)) for path in store.rglob("*.parquet") if holds(read_table(UPath(path)), word)}


def lists_on_disk(place: Place) -> dict[str, list[object]]:
    """By viewer: the candidates, their probabilities, the reasons, the most compatible, and who is withheld."""
    frame = convert_from_table(read_table(UPath(place.home / "store" / "match_lists.parquet")))
    return {
        each.viewer_id: [
            [*each.candidate_ids],
            np.array([each.p_like, each.p_liked_back, each.p_match], np.float32).tolist(),
            json.loads(each.reasons),
            each.most_compatible.candidate_id if each.most_compatible else None,
            [*each.withheld_ids],
        ]
        for each in iterate_records(frame)
    }


def lists_in_the_database(place: Place) -> dict[str, list[object]]:
    """Likewise, of the one publication."""
    rows = place.ask(
        "SELECT viewer_id::text, candidate_ids::text[], ARRAY[p_like, p_liked_back, p_match], reasons,"
        " most_compatible_id::text, withheld_ids::text[] FROM matching.match_lists"
    )
    # Of three empty arrays PostgreSQL makes one.
    return {
        viewer: [candidates, np.array(probabilities, np.float32).reshape(3, -1).tolist(), *others]
        for viewer, candidates, probabilities, *others in rows
    }


def test_nothing_of_an_erased_user_is_left_anywhere(town: Place) -> None:
    ((person, key, answer),) = town.ask(
        "SELECT profile.id::text, source_key, (SELECT max(value) FROM jsonb_each_text(texts))"
        " FROM app.profiles AS profile"
        " JOIN matching.matches ON candidate_id = profile.id JOIN app.interactions ON target_id = profile.id"
        " WHERE texts <> '{}' GROUP BY profile.id ORDER BY count(*) DESC LIMIT 1"
    )
    before = files_with(town, person)
    assert {"profiles.parquet", "interactions.parquet", "training_pairs.parquet", "match_lists.parquet"} <= before
    assert sum(name.startswith("shards/scored_candidates") for name in before) > 3
    assert sum(name.startswith("shards/profile_embeddings") for name in before) == 1
    assert "profiles.parquet" in files_with(town, answer)
    store = town.home / "store"
    dead, alive = (
        store / "shards" / "profile_embeddings" / f"03-{name}.parquet{TEMPORARY_SUFFIX}" for name in ("a", "b")
    )
    for path in (dead, alive):
        shutil.copy(store / "profiles.parquet", path)
    os.utime(dead, (0, 0))

    done = town.command("erase", key)

    assert done.returncode == 0, done.stderr
    assert f"rows in {len(before)} files" in " ".join(done.stdout.split())
    for word in (person, key, answer):
        assert files_with(town, word) == set()
        for (table,) in town.ask(TABLES_WITH_TEXT):
            assert town.ask(f"SELECT count(*) FROM {table} AS t WHERE strpos(t::text, %(word)s) > 0", word=word) == [
                (0,)
            ]
    assert list(store.rglob(f"*{TEMPORARY_SUFFIX}")) == [alive]  # its writer would fail without it
    assert lists_on_disk(town) == lists_in_the_database(town)
    assert any(each[-1] for each in lists_on_disk(town).values())


def test_others_are_still_there_and_the_next_run_goes_on(town: Place, settled: Place) -> None:
    ((person, key),) = town.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id LIMIT 1")
    assert town.command("erase", person).returncode == 0
    for name in ("profiles", "interactions", "training_pairs"):
        before, after = (
            convert_from_table(read_table(UPath(place.home / "store" / f"{name}.parquet"))) for place in (settled, town)
        )
        others = before[~before.astype(str).eq(person).any(axis=1)]
        assert len(others) < len(before)
        pd.testing.assert_frame_equal(after, others.reset_index(drop=True))
    refused(town.command("erase", key), key)
    town.materialize("publication")  # from the lists that the run before the erasure made
    run_job(town.settings, NIGHTLY_JOB, list_assets_without_training())
    assert town.metadata("profile_embeddings")["answers_encoded"] == 0
    assert files_with(town, person) == set()


def test_an_erasure_during_a_run_ends_with_the_run(town: Place) -> None:
    store = UPath(town.home / "store")
    ((person, key),) = town.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id DESC LIMIT 1")
    before = files_with(town, person)
    with exclusive_run(town.engine, [].append):
        done = town.command("erase", key)
        assert done.returncode == 0, done.stderr
        assert "a run is going on" in done.stderr
        assert town.ask("SELECT count(*) FROM app.profiles WHERE id = %(id)s", id=person) == [(0,)]
        assert files_with(town, person) == before  # the run is reading and writing them
    town.materialize("publication")
    assert files_with(town, person) == set()
    with_list = [viewer for viewer, (candidates, *_) in lists_on_disk(town).items() if candidates]
    assert town.metadata("publication")["viewers"] == len(with_list)
    written = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    assert purge_deleted_profiles(town.engine, store) == 0  # nobody else is gone
    assert written == {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}


@pytest.fixture
def people() -> pd.DataFrame:
    ids = [str(uuid.UUID(int=number)) for number in range(40)]
    return pd.DataFrame({"profile_id": ids, "texts": [{"About me": f"I own {number} boats"} for number in range(40)]})


def encoded(place: Place, people: pd.DataFrame) -> tuple[int, AnswerEmbeddings]:
    """How many answers were new, and all of them, as the asset's frame names them."""
    store = ShardStore(base=str(place.home / "store"))
    shards = plan_encoding(people, store.get_shard_folder("profile_embeddings"))
    new = sum(map(encode_shard, find_missing(shards)))
    write_table(build_manifest(shards).to_table(), store.get_frame_path("profile_embeddings"))
    return new, load_answers(read_manifest(place))


def read_manifest(place: Place) -> ShardManifest:
    return ShardManifest.from_table(read_table(UPath(place.home / "store" / "profile_embeddings.parquet")))


def test_a_changed_shard_of_answers_is_made_again(place: Place, people: pd.DataFrame) -> None:
    """The same user may come back, with an id made from the same key of the app."""
    assert erase_from_store(place.settings, people["profile_id"][7]) == 0  # before any run
    assert encoded(place, people)[0] == 40
    assert erase_from_store(place.settings, people["profile_id"][7]) == 1
    assert set(load_answers(read_manifest(place)).keys["profile_id"]) == {*people["profile_id"].drop(7)}
    new, answers = encoded(place, people)
    assert new == 1
    assert set(answers.keys["profile_id"]) == {*people["profile_id"]}


@dataclass(frozen=True)
class Scored:
    output: str


def test_a_changed_shard_of_scored_pairs_is_made_again(place: Place) -> None:
    folder = place.home / "store" / "shards" / "scored_candidates"
    shards = [Scored(str(folder / f"{number:02d}-abc.parquet")) for number in (0, 1)]
    for shard, pairs in zip(shards, ([("ann", "ben"), ("cat", "ben")], [("dan", "cat")]), strict=True):
        viewer, candidate = (pa.array(column).dictionary_encode() for column in zip(*pairs, strict=True))
        write_table(pa.table({"viewer_id": viewer, "candidate_id": candidate}), UPath(shard.output))
    assert erase_from_store(place.settings, "ann") == 1
    assert find_missing(shards) == [shards[0]]
    assert len(list(folder.iterdir())) == 2


@pytest.fixture
def small(place: Place) -> tuple[Place, str]:
    """Three users whom the frame of profiles holds, and the source key of one."""
    simulated_loader.load_simulated(place.engine, 3, 1, place.home)
    people = place.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id")
    frame = pd.DataFrame(people, columns=["profile_id", "source_key"])
    write_table(convert_to_table(frame), UPath(place.home / "store" / "profiles.parquet"))
    return place, people[0][1]


def test_an_erasure_that_fails_erases_nobody_and_can_be_repeated(small: tuple[Place, str]) -> None:
    place, key = small
    broken = place.home / "store" / "training_pairs.parquet"
    broken.write_bytes(b"not a Parquet file")
    refused(place.command("erase", key), f"{broken} cannot be read")
    refused(place.command("erase", key, MATCHING_STORE_URL="nowhere://frames"), "nowhere://frames")
    assert place.ask("SELECT count(*) FROM app.profiles") == [(3,)]
    broken.unlink()
    done = place.command("erase", key)
    assert done.returncode == 0, done.stderr
    assert place.ask("SELECT count(*) FROM app.profiles WHERE source_key = %(key)s", key=key) == [(0,)]
    assert files_with(place, key) == set()


def test_a_shard_that_a_run_deletes_meanwhile_is_skipped(
    small: tuple[Place, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, key = small
    shutil.copy(place.home / "store" / "profiles.parquet", place.home / "store" / "another.parquet")

    def delete_then_read(path: UPath) -> pa.Table:
        if path.name == "another.parquet":
            path.unlink()
        return read_table(path)

    monkeypatch.setattr(store_erasure, "read_table", delete_then_read)
    ((person,),) = place.ask("SELECT id::text FROM app.profiles WHERE source_key = %(key)s", key=key)
    assert store_erasure.erase_from_store(place.settings, person) == 1
    assert files_with(place, key) == set()
