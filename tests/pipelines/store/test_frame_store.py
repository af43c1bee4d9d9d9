"""Frames come back as they went, and a file is whole or not there."""

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from models.db.errors import InputError
from pipelines.store import frame_store
from pipelines.store.frame_store import (
    ParquetStore,
    compute_fingerprint,
    convert_from_table,
    convert_to_table,
    read_table,
    remove_unfinished,
    write_table,
)
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest

WORD = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBER = st.floats(allow_nan=False, width=64)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "profile_id": WORD,
            "texts": st.dictionaries(WORD, WORD, max_size=3),
            "traits": st.dictionaries(WORD, NUMBER, max_size=3),
            "interests": st.lists(WORD, max_size=3),
            "probabilities": st.lists(NUMBER, max_size=3),
            "age_min": st.one_of(st.none(), NUMBER),
            "gender": st.one_of(st.none(), WORD),
            "paused": st.booleans(),
        }
    ),
    max_size=6,
)
COLUMNS = ["profile_id", "texts", "traits", "interests", "probabilities", "age_min", "gender", "paused"]


def framed(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype({"age_min": float})


def cells(frame: pd.DataFrame) -> list[list[object]]:
    """The cells as Python objects, every missing value None, arrays as lists."""
    frame = frame.astype(object)
    rows = frame.where(frame.notna(), None).to_numpy().tolist()
    return [[cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in row] for row in rows]


@given(ROWS)
def test_a_frame_with_cells_of_any_kind_comes_back(rows: list[dict[str, object]]) -> None:
    there_and_back = convert_from_table(convert_to_table(framed(rows)))
    assert list(there_and_back.columns) == COLUMNS
    assert cells(there_and_back) == cells(framed(rows))


def test_times_keep_their_zone_and_none_is_not_a_word(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "at": pd.Series(["2024-05-01T10:00:00.000001Z", None], dtype="datetime64[us, UTC]"),
            "word": ["None", None],
            "number": [1.5, None],
        }
    )
    path = UPath(tmp_path / "folder" / "frame.parquet")
    write_table(convert_to_table(frame), path)
    back = convert_from_table(read_table(path))
    pd.testing.assert_frame_equal(back, frame, check_dtype=False)
    assert str(back["at"].dt.tz) == "UTC"
    assert back["word"].isna().tolist() == [False, True]


@given(ROWS, ROWS)
def test_a_fingerprint_is_the_same_for_the_same_rows_and_no_others(
    rows: list[dict[str, object]], others: list[dict[str, object]]
) -> None:
    one, other = framed(rows), framed(others)
    alike = cells(one) == cells(other)
    assert (compute_fingerprint(convert_to_table(one)) == compute_fingerprint(convert_to_table(other))) == alike
    assert compute_fingerprint(convert_to_table(one)) == compute_fingerprint(
        convert_to_table(convert_from_table(convert_to_table(one)))
    )


def test_a_fingerprint_sees_names_and_the_border_of_frames_but_no_chunks() -> None:
    table = pa.table({"a": ["x", "y", "z"]})
    others = [(table.slice(0, 2), table.slice(2)), (table.slice(2), table.slice(0, 2)), (table.rename_columns(["b"]),)]
    assert len({compute_fingerprint(*tables) for tables in [(table,), *others]}) == 4
    assert compute_fingerprint(pa.concat_tables([table.slice(0, 1), table.slice(1)])) == compute_fingerprint(table)


# Killed when the frame is written but does not have its name yet.
DIE = """
import os, signal, sys
import pyarrow as pa
from upath import UPath
from pipelines.store.frame_store import write_table

path = UPath(sys.argv[1])
type(path).rename = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
write_table(pa.table({"a": [2]}), path)
"""


def test_a_writer_that_dies_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "frame.parquet"
    write_table(pa.table({"a": [1]}), UPath(path))
    died = subprocess.run([sys.executable, "-c", DIE, str(path)], timeout=600, check=False)
    assert died.returncode == -signal.SIGKILL
    assert read_table(UPath(path)).to_pydict() == {"a": [1]}
    write_table(pa.table({"a": [3]}), UPath(path))
    assert read_table(UPath(path)).to_pydict() == {"a": [3]}
    (left,) = tmp_path.glob(f"*{frame_store.TEMPORARY_SUFFIX}")
    remove_unfinished(UPath(tmp_path))
    assert left.exists()  # its writer may be alive
    long_ago = time.time() - 2 * frame_store.WRITER_TIMEOUT.total_seconds()
    os.utime(left, (long_ago, long_ago))
    remove_unfinished(UPath(tmp_path))
    assert [each.name for each in tmp_path.iterdir()] == ["frame.parquet"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = UPath(tmp_path / "frame.parquet")
    tables = [pa.table({"a": np.arange(200_000) * each}) for each in (1, 2)]
    with ThreadPoolExecutor(2) as both:
        for _ in range(10):
            list(both.map(lambda table: write_table(table, path), tables))
            assert read_table(path) in tables
    assert [each.name for each in tmp_path.iterdir()] == ["frame.parquet"]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path, limits = UPath(tmp_path / "frame.parquet"), resource.getrlimit(resource.RLIMIT_FSIZE)
    write_table(pa.table({"a": [1]}), path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(InputError, match=r"frame\.parquet cannot be written: File too large"):
            write_table(pa.table({"a": [2]}), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_table(path).to_pydict() == {"a": [1]}
    assert [each.name for each in tmp_path.iterdir()] == ["frame.parquet"]


@dg.asset
def embeddings() -> ShardManifest:
    return ShardManifest(("a.parquet", "b.parquet"))


@dg.asset
def scores(embeddings: ShardManifest) -> ScoreManifest:
    return ScoreManifest(embeddings.urls[::-1], "7")


@dg.asset
def lists(embeddings: ShardManifest, scores: ScoreManifest) -> pd.DataFrame:
    return pd.DataFrame({"urls": [[*embeddings.urls], [*scores.urls]], "version": scores.ranker_version})


def test_a_manifest_comes_back_as_the_type_of_the_input(tmp_path: Path) -> None:
    resources = {"io_manager": ParquetStore(base_path=UPath(tmp_path))}
    assets = [embeddings, scores, lists]
    with pytest.raises(InputError, match="embeddings has not been materialized yet"):
        dg.materialize(assets, resources=resources, selection=[lists])
    assert dg.materialize(assets, resources=resources).success
    made = dg.materialize(assets, resources=resources, selection=[lists]).asset_value("lists")
    assert made["urls"].tolist() == [["a.parquet", "b.parquet"], ["b.parquet", "a.parquet"]]
    assert set(made["version"]) == {"7"}


def test_frames_of_an_earlier_version_are_manifests() -> None:
    """With the same fingerprint, or every shard would be scored again after an update."""
    frame = pd.DataFrame({"shard": range(2), "url": ["a.parquet", "b.parquet"]})
    table = convert_to_table(frame)
    manifest = ShardManifest.from_table(table)
    assert manifest == ShardManifest(("a.parquet", "b.parquet"))
    assert compute_fingerprint(manifest.to_table()) == compute_fingerprint(table)
    scored = ScoreManifest.from_table(convert_to_table(frame.assign(ranker_version="7")))
    assert scored == ScoreManifest(manifest.urls, "7")
