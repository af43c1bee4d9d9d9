"""Heavy steps by shard: each shard writes a Parquet file, and a file for the same inputs is not written again."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from upath import UPath

from models.ml.arrays import Int64Array
from pipelines.store.shard_manifest import ShardManifest

# Fixed, so that a user stays in the same shard as the population grows. Another number must be this one times a power
# of two, up to 256. Then the number of a user's shard keeps its remainder modulo MIN_SHARDS.
SHARDS = MIN_SHARDS = 16


class ShardTask(Protocol):
    """The argument of a shard function: all that it needs, and the URL of the file that it writes."""

    @property
    def output(self) -> str:
        """URL of the shard's Parquet file; its name holds a fingerprint of the inputs."""


def assign_shards(ids: Iterable[str], count: int = SHARDS) -> Int64Array:
    """Return the shard of each user, of `count` shards, by a hash of the id, int64 (len(ids),)."""
    return np.array([hashlib.blake2b(each.encode(), digest_size=2).digest()[0] % count for each in ids], np.int64)


AnyShardTask = TypeVar("AnyShardTask", bound=ShardTask)


def find_missing(shards: Sequence[AnyShardTask]) -> list[AnyShardTask]:
    """Return the shards without a file."""
    return [shard for shard in shards if not UPath(shard.output).exists()]


def build_manifest(shards: Sequence[ShardTask]) -> ShardManifest:
    """Return the manifest of these shards."""
    return ShardManifest(tuple(shard.output for shard in shards))


def find_outdated(folder: UPath, shards: Sequence[ShardTask]) -> list[UPath]:
    """Find the files in a folder that belong to none of these shards, and so to earlier inputs.

    Call this before the shards are computed. The result then excludes files that the job incremental_embeddings writes
    in the meantime.
    """
    mine = {UPath(shard.output).name for shard in shards}
    return [path for path in _list_files(folder) if path.name not in mine]


def find_earlier(folder: UPath, number: int) -> list[UPath]:
    """Find the files in a folder that can hold users of this shard, in order of name."""
    return [path for path in _list_files(folder) if (int(path.name.partition("-")[0]) - number) % MIN_SHARDS == 0]


def remove_files(paths: Iterable[UPath]) -> None:
    """Delete these files; those that are already gone are ignored."""
    for path in paths:
        path.unlink(missing_ok=True)


def _list_files(folder: UPath) -> list[UPath]:
    return sorted(folder.glob("*.parquet")) if folder.exists() else []
