"""The shards of the facts of conversations: written from one frame, and read as one."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from upath import UPath

from models.db.errors import InputError
from models.ml.conversations.frames import FACT_TYPES, conform_frame
from pipelines.store.frame_store import (
    compute_fingerprint,
    convert_from_table,
    convert_to_table,
    read_table,
    write_table,
)
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import (
    SHARDS,
    assign_shards,
    build_manifest,
    find_missing,
    find_outdated,
    remove_files,
)


@dataclass(frozen=True)
class FactShard:
    """The facts of some conversations, and the file for them."""

    table: pa.Table
    output: str


def write_facts(facts: pd.DataFrame, folder: UPath) -> ShardManifest:
    """Write the facts to the files of a folder, by the id of the conversation, and remove its earlier files.

    A file is named by the number of the shard and the fingerprint of its rows. One that is there is kept.
    """
    shard = assign_shards(facts["conversation_id"])
    shards = [_plan_shard(facts[shard == number], folder, number) for number in range(SHARDS)]
    earlier = find_outdated(folder, shards)
    for each in find_missing(shards):
        write_table(each.table, UPath(each.output))
    remove_files(earlier)
    return build_manifest(shards)


def _plan_shard(facts: pd.DataFrame, folder: UPath, number: int) -> FactShard:
    table = convert_to_table(conform_frame(facts, FACT_TYPES))
    return FactShard(table, str(folder / f"{number:02d}-{compute_fingerprint(table)}.parquet"))


def load_facts(manifest: ShardManifest) -> pd.DataFrame:
    """Load all facts of a manifest, with the columns and types of FACT_TYPES."""
    tables = [read_table(UPath(url)) for url in manifest.urls]
    return conform_frame(convert_from_table(pa.concat_tables(tables)), FACT_TYPES)


def load_earlier_facts(manifest: UPath) -> pd.DataFrame:
    """Load the facts of the last night; none if there are none, or if they cannot be read."""
    try:
        return load_facts(ShardManifest.from_table(read_table(manifest)))
    except (FileNotFoundError, InputError, KeyError):
        return conform_frame(pd.DataFrame(columns=list(FACT_TYPES)), FACT_TYPES)
