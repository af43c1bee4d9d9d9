"""Profile embeddings: encode the answers that changed, and store one vector for each profile."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd

from models.db.rows.embedding_rows import store_embeddings
from models.ml.profiles.encoders.opening import open_encoder
from pipelines.checks.embeddings_normalised import check_embeddings_normalised
from pipelines.reports.embedding_map import plot_embedding_map
from pipelines.reports.plots import round_figures, show_figure
from pipelines.resources import ComputeResource, DatabaseResource, EncoderResource, ShardStore
from pipelines.store.answer_shards import build_embedding_rows, encode_shard, load_answers, plan_encoding
from pipelines.store.shard_manifest import ShardManifest
from pipelines.store.shards import build_manifest, find_missing, find_outdated, remove_files

NORMALISED_CHECK = dg.AssetCheckSpec(
    "embeddings_normalised",
    asset="profile_embeddings",
    blocking=True,
    description="The vector of each answer has length one, as the encoder returns. A failure blocks the publication.",
)


@dg.asset(
    group_name="embeddings",
    owners=["team:data-science"],
    kinds={"pytorch", "parquet", "postgres"},
    check_specs=[NORMALISED_CHECK],
)
def profile_embeddings(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    compute: ComputeResource,
    encoder: EncoderResource,
    profiles: pd.DataFrame,
) -> Iterator[dg.Output[ShardManifest] | dg.AssetCheckResult]:
    """Encode the answers of each profile, and store one vector for each profile in `matching.embeddings`.

    In: `profiles`. Out: the manifest of 16 files with one row for each answer: profile_id, prompt, text_hash and the
    embedding, float16 (dimensions,), of length one. Only answers with a new text, or of another encoder than at the
    last run, are encoded. Vectors of other encoders stay in the database until a publication is live that needs none.
    """
    folder = store.get_shard_folder("profile_embeddings")
    shards = plan_encoding(profiles, folder, encoder.choice)
    earlier = find_outdated(folder, shards)
    to_do, start, encoded = find_missing(shards), time.monotonic(), 0
    for done, count in enumerate(compute.map_shards(encode_shard, to_do), 1):
        encoded += count
        rate = encoded / (time.monotonic() - start)
        left = (len(to_do) - done) * (time.monotonic() - start) / done
        context.log.info(f"shard {done} of {len(to_do)}: {encoded:,} answers, {rate:.0f} a second, {left:.0f} s left")
    remove_files(earlier)
    handed_on = build_manifest(shards)
    answers = load_answers(handed_on)
    opened = open_encoder(encoder.choice)
    rows = build_embedding_rows(profiles, answers, opened)
    with database.open_engine() as engine:
        stored = store_embeddings(engine, opened.name, rows, profiles["extracted_at"][0])
    seconds = time.monotonic() - start
    counts = {"profiles": len(rows), "answers": len(answers.vectors), "answers_encoded": encoded}
    rates = {"vectors_stored": stored, "answers_encoded_a_second": encoded / seconds, "seconds": seconds}
    yield dg.Output(
        handed_on,
        metadata={
            "encoder": opened.name,
            "dimensions": opened.dimensions,
            **counts,
            **round_figures(rates),
            "map": show_figure(plot_embedding_map(profiles, answers)),
        },
    )
    yield check_embeddings_normalised(answers)
