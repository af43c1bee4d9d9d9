"""Frames and manifests as Parquet files on disk or in an object store, written completely or not at all."""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from uuid import uuid4

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from models.db.errors import InputError
from models.db.settings import Settings
from pipelines.store.shard_manifest import ShardManifest

# Suffix of a file that is being written or whose writer has died.
TEMPORARY_SUFFIX = ".part"
# A live writer changes its file much more often than this.
WRITER_TIMEOUT = timedelta(minutes=10)

# The frame of the blocks that a scoring has read. It belongs to no asset; match lists and the check of listed pairs
# read it.
BLOCKS_FRAME = "blocks"


def store_url(settings: Settings) -> str:
    """Return the URL of the store of frames and shards."""
    return settings.store_url or str(settings.home / "store")


def write_table(table: pa.Table, path: UPath) -> None:
    """Write a Parquet file that appears complete or, if the process dies or the disk is full, not at all.

    Raises:
        InputError: The file cannot be written.
    """
    unfinished = _make_temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
        unfinished.rename(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}; make room there, or set MATCHING_STORE_URL to "
            "another place, then run this again"
        ) from error


def _make_temporary_path(path: UPath) -> UPath:
    """Return the path that a file has until it is complete, a different one for each writer."""
    return path.with_name(f"{path.name}.{uuid4().hex}{TEMPORARY_SUFFIX}")


def remove_unfinished(folder: UPath) -> None:
    """Delete unfinished files of dead writers in a folder: those without a change for `WRITER_TIMEOUT`."""
    long_ago = (datetime.now(UTC) - WRITER_TIMEOUT).timestamp()
    for path in folder.rglob(f"*{TEMPORARY_SUFFIX}"):
        with suppress(FileNotFoundError):  # completed in the meantime
            if path.stat().st_mtime < long_ago:
                path.unlink()


def read_table(path: UPath) -> pa.Table:
    """Read a Parquet file.

    Raises:
        FileNotFoundError: There is no such file.
        InputError: The file cannot be read.
    """
    with _open_file(path) as file:
        return pq.read_table(file)


def read_columns(path: UPath, names: Collection[str]) -> pa.Table:
    """Read those of these columns that a Parquet file has. Raises as `read_table` does."""
    with _open_file(path) as file:
        there = pq.read_schema(file).names
        return pq.read_table(file, columns=[name for name in names if name in there])


def read_frame_columns(path: UPath, names: Collection[str]) -> pd.DataFrame:
    """Read those of these columns that a stored frame has. Raises as `read_table` does."""
    return convert_from_table(read_columns(path, names))


def count_rows(path: UPath) -> int:
    """Return the number of rows that the footer of a Parquet file states. Raises as `read_table` does."""
    with _open_file(path) as file:
        return int(pq.read_metadata(file).num_rows)


@contextmanager
def _open_file(path: UPath) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{path} cannot be read: {error}; repair the file, or delete it and let the next `matching run` write it "
            "again, then run this again"
        ) from error


def convert_to_table(frame: pd.DataFrame) -> pa.Table:
    """Convert a frame to an Arrow table; a column of dicts becomes a map, not a struct with a field for each key."""
    arrays = {
        name: _make_map_array(cells) if _has_only(dict, cells) else pa.array(cells) for name, cells in frame.items()
    }
    return pa.table({str(name): array for name, array in arrays.items()})


def convert_from_table(table: pa.Table) -> pd.DataFrame:
    """Convert an Arrow table to the frame that it was; a list of numbers becomes an array, which takes less memory."""
    frame: pd.DataFrame = table.to_pandas(maps_as_pydicts="strict")
    for field in table.schema:
        if pa.types.is_list(field.type) and not pa.types.is_floating(field.type.value_type):
            # From the arrays, in which equal strings are one object.
            frame[field.name] = pd.Series([cell.tolist() for cell in frame[field.name]], dtype=object)
    return frame


def read_scored_blocks(path: UPath) -> pd.DataFrame:
    """Read the frame of the blocks that the candidates were scored with, which is at `path`.

    Raises:
        InputError: There is no such file: nothing was scored, or an earlier version scored it.
    """
    try:
        return convert_from_table(read_table(path))
    except FileNotFoundError as error:
        raise InputError(f"there is no {path}: materialize scored_candidates first") from error


def compute_fingerprint(*tables: pa.Table) -> str:
    """Compute a hash of the contents of tables: equal for equal rows in the same order."""
    writer = _HashWriter()
    for table in tables:
        with pa.ipc.new_stream(writer, table.schema) as stream:
            stream.write_table(table.combine_chunks())
    return writer.digest.hexdigest()[:16]


class _HashWriter:
    """A file that only hashes what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing; nothing is buffered."""

    def close(self) -> None:
        """Do nothing; nothing is open."""


def _has_only(kind: type, cells: pd.Series) -> bool:
    return any(isinstance(cell, kind) for cell in cells.head(1))


def _make_map_array(cells: pd.Series) -> pa.Array:
    values = [value for cell in cells for value in cell.values()]
    of_words = bool(values) and isinstance(values[0], str)
    return pa.array(
        [list(cell.items()) for cell in cells], pa.map_(pa.string(), pa.string() if of_words else pa.float64())
    )


class ParquetStore(dg.UPathIOManager):
    """Stores what assets hand on, a frame or the manifest of shards: one Parquet file for each asset."""

    extension = ".parquet"

    def dump_to_path(self, context: dg.OutputContext, obj: pd.DataFrame | ShardManifest, path: UPath) -> None:
        """Write the frame or the manifest of an asset, and tell Dagster its columns."""
        table = obj.to_table() if isinstance(obj, ShardManifest) else convert_to_table(obj)
        write_table(table, path)
        columns = [dg.TableColumn(field.name, str(field.type)) for field in table.schema]
        context.add_output_metadata({"dagster/column_schema": dg.TableSchema(columns)})

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pd.DataFrame | ShardManifest:
        """Read an asset's file as the type that the input is annotated with.

        Raises:
            InputError: The asset has not been materialized yet, or its file cannot be read.
        """
        if not path.exists():
            name = context.asset_key.to_user_string()
            raise InputError(
                f"{name} has not been materialized yet: materialize it first, or everything with `matching run`"
            )
        table, expected = read_table(path), context.dagster_type.typing_type
        if isinstance(expected, type) and issubclass(expected, ShardManifest):
            return expected.from_table(table)
        return convert_from_table(table)
