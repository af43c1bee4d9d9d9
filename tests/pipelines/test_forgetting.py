"""After an erasure nothing of the person is left: in the database, in a frame, in a shard, in what a dead run left."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from upath import UPath

from pipelines.frame_store import UNFINISHED, from_table, read_table
from tests.pipelines.conftest import Databases, Place

TABLES_WITH_TEXT = """
SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_schema IN ('app', 'matching') AND table_type = 'BASE TABLE' ORDER BY 1
"""


@pytest.fixture
def town(settled: Place, databases: Databases, tmp_path: Path) -> Iterator[Place]:
    """A copy of the settled town, to be changed."""
    with databases(like=settled.database_url) as url:
        place = Place(tmp_path / "copy", url)
        # Without MLflow: its database names the folders of the original, which a run of the copy would write to.
        shutil.copytree(settled.home, place.home, ignore=shutil.ignore_patterns("mlflow"))
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


def test_nothing_of_an_erased_person_is_left_anywhere(town: Place) -> None:
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
    dead, alive = (store / "shards" / "profile_embeddings" / f"03-{name}.parquet{UNFINISHED}" for name in ("a", "b"))
    for path in (dead, alive):
        shutil.copy(store / "profiles.parquet", path)
    os.utime(dead, (0, 0))

    done = town.command("erase", key)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("erased: ")
    assert f"rows in {len(before)} files" in " ".join(done.stdout.split())
    for word in (person, key, answer):
        assert files_with(town, word) == set()
        for (table,) in town.ask(TABLES_WITH_TEXT):
            assert town.ask(f"SELECT count(*) FROM {table} AS t WHERE strpos(t::text, %(word)s) > 0", word=word) == [
                (0,)
            ]
    assert list(store.rglob(f"*{UNFINISHED}")) == [alive]  # its writer would fail without it


def test_everybody_else_is_still_there_and_the_next_run_needs_nothing_that_was_erased(
    town: Place, settled: Place
) -> None:
    ((person, key),) = town.ask("SELECT id::text, source_key FROM app.profiles ORDER BY id LIMIT 1")
    assert town.command("erase", person).returncode == 0
    for name in ("profiles", "interactions", "training_pairs"):
        before, after = (
            from_table(read_table(UPath(place.home / "store" / f"{name}.parquet"))) for place in (settled, town)
        )
        others = before[~before.astype(str).eq(person).any(axis=1)]
        assert len(others) < len(before)
        pd.testing.assert_frame_equal(after, others.reset_index(drop=True))
    again = town.command("erase", key)
    assert again.returncode == 2
    assert again.stderr.startswith(f"matching: nobody has the profile id or source key '{key}'")
    town.run()
    assert town.metadata("profile_embeddings")["answers_encoded"] == 0
    assert files_with(town, person) == set()
