"""Profile embeddings: only answers that changed are encoded; one vector a profile goes to the database."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from models.db.embeddings import store_embeddings
from models.ml.encoder import ENCODER
from pipelines.checks import are_of_length_one
from pipelines.encoding import encode_shard, encode_shards, load_answers, stored_rows
from pipelines.resources import Compute, Database, ShardStore
from pipelines.shards import manifest, missing, remove_others

LENGTH_ONE = dg.AssetCheckSpec(
    "are_of_length_one",
    asset="profile_embeddings",
    blocking=True,
    description="Every answer's vector is of length one: what the encoder gives. A failure blocks the publication.",
)


@dg.asset(group_name="embeddings", check_specs=[LENGTH_ONE])
def profile_embeddings(
    context: dg.AssetExecutionContext,
    database: Database,
    store: ShardStore,
    compute: Compute,
    profiles: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """The answers of each profile as vectors, by shard; the frame names the shards' files."""
    folder = store.folder("profile_embeddings")
    shards = encode_shards(profiles, folder)
    to_do, start, encoded = missing(shards), time.monotonic(), 0
    for done, count in enumerate(compute.map(encode_shard, to_do), 1):
        encoded += count
        rate = encoded / (time.monotonic() - start)
        left = (len(to_do) - done) * (time.monotonic() - start) / done
        context.log.info(f"shard {done} of {len(to_do)}: {encoded:,} answers, {rate:.0f} a second, {left:.0f} s left")
    remove_others(folder, shards)
    handed_on = manifest(shards)
    answers = load_answers(handed_on)
    rows = stored_rows(profiles, answers)
    with database.engine() as engine:
        stored = store_embeddings(engine, ENCODER, rows, profiles["extracted_at"][0])
    metadata = {"profiles": len(rows), "answers_encoded": encoded, "vectors_stored": stored}
    yield dg.Output(handed_on, metadata=metadata)
    yield are_of_length_one(answers)
