"""After an erasure nothing of the user is left: in the database, in a frame, in a shard, in files of a dead writer."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from upath import UPath

from models.ml.scoring.list_frames import iterate_records
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, list_assets_without_training
from pipelines.loaders.simulation import simulated_loader
from pipelines.store.frame_store import TEMPORARY_SUFFIX, convert_to_table, read_table, write_table
from pipelines.store.run_lock import exclusive_run
from pipelines.store.shards import find_missing
from pipelines.store.store_erasure import erase_from_store, purge_deleted_profiles
from pipelines.workspace import Workspace
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.test_cli import refused
from tests.support.places import copied

TABLES_WITH_TEXT = """
SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_schema IN ('app', 'matching') AND table_type = 'BASE TABLE' ORDER BY 1
"""


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy after a run, to be changed."""
    with copied(settled, databases, tmp_path / "home") as place:
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
    lists = "SELECT viewer_id::text, candidate_ids::text[], withheld_ids::text[] FROM matching.match_lists"
    on_disk = {
        each.viewer_id: (list(each.candidate_ids), list(each.withheld_ids))
        for each in iterate_records(Workspace(town.settings).lists)
    }
    assert on_disk == {viewer: (candidates, withheld) for viewer, candidates, withheld in town.ask(lists)}
    assert any(withheld for _, withheld in on_disk.values())


def test_others_are_still_there_and_the_next_run_goes_on(town: Place, settled: Place) -> None:
    ((person, key),) = town.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id LIMIT 1")
    assert town.command("erase", person).returncode == 0
    whole, rest = Workspace(settled.settings), Workspace(town.settings)
    for name in ("profiles", "interactions", "training_pairs"):
        frame, after = whole.read_frame(name), rest.read_frame(name)
        others = frame[~frame.astype(str).eq(person).any(axis=1)]
        assert len(others) < len(frame)
        pd.testing.assert_frame_equal(after, others.reset_index(drop=True))
    refused(town.command("erase", key), key)
    town.materialize("publication")  # from the lists that the run before the erasure made
    run_job(town.settings, NIGHTLY_JOB, list_assets_without_training())
    assert town.metadata("profile_embeddings")["answers_encoded"] == 0
    assert files_with(town, person) == set()
    before = set(rest.answers.keys["profile_id"])
    erase_from_store(town.settings, other := min(before))
    assert set(Workspace(town.settings).answers.keys["profile_id"]) == before - {other}


def test_an_erasure_during_a_run_ends_with_the_run(town: Place) -> None:
    store = UPath(town.home / "store")
    ((person, key),) = town.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id DESC LIMIT 1")
    before = files_with(town, person)
    with exclusive_run(town.engine, pytest.fail):
        done = town.command("erase", key)
        assert done.returncode == 0, done.stderr
        assert "a run is going on" in done.stderr
        assert town.ask("SELECT count(*) FROM app.profiles WHERE id = %(id)s", id=person) == [(0,)]
        assert files_with(town, person) == before  # the run is reading and writing them
    town.materialize("publication")
    assert files_with(town, person) == set()
    lists = Workspace(town.settings).lists["candidate_ids"]
    assert town.metadata("publication")["viewers"] == (lists.map(len) > 0).sum()
    written = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    assert purge_deleted_profiles(town.engine, store) == 0  # nobody else is gone
    assert written == {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}


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


def test_a_file_that_is_gone_meanwhile_is_skipped(small: tuple[Place, str]) -> None:
    place, key = small
    gone = place.home / "store" / "another.parquet"
    gone.symlink_to("nowhere")  # listed, and not there to be read
    ((person,),) = place.ask("SELECT id::text FROM app.profiles WHERE source_key = %(key)s", key=key)
    assert erase_from_store(place.settings, person) == 1
    gone.unlink()
    assert files_with(place, key) == set()
