"""Heavy steps by shard: a shard writes its own Parquet file, and one already written for the same inputs is kept."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from upath import UPath

from models.ml.arrays import Int64Array
from pipelines.store.shard_manifest import ShardManifest

# Fixed, so that a person stays in their shard as the town grows. Another number is this one times a power of two, up to
# 256: then whoever is in shard n is, with any other such number, in one whose number leaves the same rest by FEWEST.
SHARDS = MIN_SHARDS = 16


class ShardTask(Protocol):
    """What a shard function is given: all it needs, and the URL of the file it writes."""

    @property
    def output(self) -> str:
        """URL of the shard's Parquet file; its name holds a fingerprint of the inputs."""


def assign_shards(ids: Iterable[str]) -> Int64Array:
    """The shard of each person, by a hash of the id."""
    return np.array([hashlib.blake2b(each.encode(), digest_size=2).digest()[0] % SHARDS for each in ids], np.int64)


AnyShardTask = TypeVar("AnyShardTask", bound=ShardTask)


def find_missing(shards: Sequence[AnyShardTask]) -> list[AnyShardTask]:
    """The shards whose file is not there yet."""
    return [shard for shard in shards if not UPath(shard.output).exists()]


def build_manifest(shards: Sequence[ShardTask]) -> ShardManifest:
    """Return the manifest of these shards."""
    return ShardManifest(tuple(shard.output for shard in shards))


def find_outdated(folder: UPath, shards: Sequence[ShardTask]) -> list[UPath]:
    """The folder's files of earlier inputs: those that are there and are not these shards'.

    To be asked for before the shards are made, so that what the job incremental_embeddings writes meanwhile is not
    among them.
    """
    mine = {UPath(shard.output).name for shard in shards}
    return [path for path in _list_files(folder) if path.name not in mine]


def find_earlier(folder: UPath, number: int) -> list[UPath]:
    """The folder's files in which people of the shard of this number may be, in order."""
    return [path for path in _list_files(folder) if (int(path.name.partition("-")[0]) - number) % MIN_SHARDS == 0]


def remove_files(paths: Iterable[UPath]) -> None:
    """Delete these files, if they are still there."""
    for path in paths:
        path.unlink(missing_ok=True)


def _list_files(folder: UPath) -> list[UPath]:
    return sorted(folder.glob("*.parquet")) if folder.exists() else []
