"""Heavy steps by shard: a shard writes its own Parquet file, and one already written for the same inputs is kept."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from upath import UPath

# Fixed, so that a person stays in their shard as the town grows. Another number is this one times a power of two, up to
# 256: then whoever is in shard n is, with any other such number, in one whose number leaves the same rest by FEWEST.
SHARDS = FEWEST = 16


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


def others(folder: UPath, shards: Sequence[Shard]) -> list[UPath]:
    """The folder's files of earlier inputs: those that are there and are not these shards'.

    To be asked for before the shards are made, so that what the job new_people writes meanwhile is not among them.
    """
    mine = {UPath(shard.output).name for shard in shards}
    return [path for path in _there(folder) if path.name not in mine]


def earlier(folder: UPath, number: int) -> list[UPath]:
    """The folder's files in which people of the shard of this number may be, in order."""
    return [path for path in _there(folder) if (int(path.name.partition("-")[0]) - number) % FEWEST == 0]


def remove(paths: Iterable[UPath]) -> None:
    """Delete these files, if they are still there."""
    for path in paths:
        path.unlink(missing_ok=True)


def _there(folder: UPath) -> list[UPath]:
    return sorted(folder.glob("*.parquet")) if folder.exists() else []
