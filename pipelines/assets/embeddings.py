"""Profile embeddings: only answers that changed are encoded; one vector a profile goes to the database."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from models.db.embeddings import store_embeddings
from models.ml.encoder import ENCODER
from pipelines.checks import are_of_length_one
from pipelines.embedding_map import embedding_map
from pipelines.encoding import encode_shard, encode_shards, load_answers, stored_rows
from pipelines.plots import picture, rounded
from pipelines.resources import Compute, Database, ShardStore
from pipelines.shards import manifest, missing, others, remove

LENGTH_ONE = dg.AssetCheckSpec(
    "are_of_length_one",
    asset="profile_embeddings",
    blocking=True,
    description="Every answer's vector is of length one: what the encoder gives. A failure blocks the publication.",
)


@dg.asset(
    group_name="embeddings",
    owners=["team:data-science"],
    kinds={"pytorch", "parquet", "postgres"},
    check_specs=[LENGTH_ONE],
)
def profile_embeddings(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: Database,
    store: ShardStore,
    compute: Compute,
    profiles: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """The answers of each profile as vectors, and one vector a profile in `matching.embeddings`.

    In: `profiles`. Out: a frame of 16 rows, shard and url, that names the files of the answers: profile_id, prompt,
    text_hash and the embedding, float16 (384,), of length one. Only answers whose text is new are encoded.
    """
    folder = store.folder("profile_embeddings")
    shards = encode_shards(profiles, folder)
    earlier = others(folder, shards)
    to_do, start, encoded = missing(shards), time.monotonic(), 0
    for done, count in enumerate(compute.map(encode_shard, to_do), 1):
        encoded += count
        rate = encoded / (time.monotonic() - start)
        left = (len(to_do) - done) * (time.monotonic() - start) / done
        context.log.info(f"shard {done} of {len(to_do)}: {encoded:,} answers, {rate:.0f} a second, {left:.0f} s left")
    remove(earlier)
    handed_on = manifest(shards)
    answers = load_answers(handed_on)
    rows = stored_rows(profiles, answers)
    with database.engine() as engine:
        stored = store_embeddings(engine, ENCODER, rows, profiles["extracted_at"][0])
    seconds = time.monotonic() - start
    counts = {"profiles": len(rows), "answers": len(answers.vectors), "answers_encoded": encoded}
    rates = {"vectors_stored": stored, "answers_encoded_a_second": encoded / seconds, "seconds": seconds}
    yield dg.Output(handed_on, metadata={**counts, **rounded(rates), "map": picture(embedding_map(profiles, answers))})
    yield are_of_length_one(answers)
