"""The manifest of an asset that is stored in shards: which files hold its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

SHARD, URL, RANKER_VERSION = "shard", "url", "ranker_version"
# The type that a column of pandas has: the fingerprint of the scoring inputs includes the manifest of the embeddings.
TEXT = pa.large_string()


@dataclass(frozen=True)
class ShardManifest:
    """The files of an asset that is stored in shards. The IO manager stores it as a Parquet file, one row a shard."""

    urls: tuple[str, ...]
    """URL of each shard's Parquet file, in order of shard. A file's name holds the fingerprint of its inputs."""

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Parse what `to_table` returned."""
        return cls(tuple(table.column(URL).to_pylist()))

    def to_table(self) -> pa.Table:
        """Return the manifest as a table: shard (int64), url."""
        return pa.table({SHARD: pa.array(range(len(self.urls)), pa.int64()), URL: pa.array(self.urls, TEXT)})


@dataclass(frozen=True)
class ScoreManifest(ShardManifest):
    """The files of the scored pairs, and the ranker that scored them."""

    ranker_version: str
    """Version of the ranker in the model registry."""

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Parse what `to_table` returned."""
        return cls(ShardManifest.from_table(table).urls, table.column(RANKER_VERSION)[0].as_py())

    def to_table(self) -> pa.Table:
        """Return the manifest as a table: shard (int64), url, ranker_version."""
        versions = pa.array([self.ranker_version] * len(self.urls), TEXT)
        return super().to_table().append_column(RANKER_VERSION, versions)


def is_manifest(table: pa.Table) -> bool:
    """Return whether a stored table is a manifest and not an asset's own rows."""
    return URL in table.column_names


def replace_urls(table: pa.Table, moved: Mapping[str, str]) -> pa.Table:
    """Return a stored manifest with the new URL of each shard that has moved; `moved` maps old URLs to new ones."""
    urls = pa.array([moved.get(url, url) for url in table.column(URL).to_pylist()], TEXT)
    return table.set_column(table.column_names.index(URL), URL, urls)
