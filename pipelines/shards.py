"""Heavy steps by shard: a shard writes its own Parquet file, and one already written for the same inputs is kept."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from upath import UPath

# Fixed, so that a person stays in their shard as the town grows.
SHARDS = 16


class Shard(Protocol):
    """What a shard function is given: all it needs, and the URL of the file it writes."""

    @property
    def output(self) -> str:
        """URL of the shard's Parquet file; its name holds a fingerprint of the inputs."""


def shard_of(ids: Iterable[str]) -> NDArray[np.int64]:
    """The shard of each person, by a hash of the id."""
    return np.array([hashlib.blake2b(each.encode(), digest_size=2).digest()[0] % SHARDS for each in ids], np.int64)


AShard = TypeVar("AShard", bound=Shard)


def missing(shards: Sequence[AShard]) -> list[AShard]:
    """The shards whose file is not there yet."""
    return [shard for shard in shards if not UPath(shard.output).exists()]


def manifest(shards: Sequence[Shard]) -> pd.DataFrame:
    """What an asset of shards hands on: the URL of each shard's file."""
    return pd.DataFrame({"shard": range(len(shards)), "url": [shard.output for shard in shards]})


def remove_others(folder: UPath, shards: Sequence[Shard]) -> None:
    """Delete the folder's files that are not these shards': earlier inputs, unfinished writes."""
    kept = {UPath(shard.output).name for shard in shards}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink(missing_ok=True)
