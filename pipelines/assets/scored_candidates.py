"""Scored candidates: the eligible candidates of each viewer, scored by the champion, shard by shard."""

import time

import dagster as dg
import pandas as pd
from upath import UPath

from pipelines.assets.candidate_shards import ScoringInputs, fingerprint_inputs, plan_scoring, score_shard
from pipelines.assets.extract import read_blocks
from pipelines.assets.surroundings import APP_BLOCKS
from pipelines.resources import ComputeResource, DatabaseResource, ShardStore
from pipelines.store.frame_store import BLOCKS_FRAME, convert_to_table, count_rows, write_table
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest
from pipelines.store.shards import build_manifest, find_missing, find_outdated, remove_files

GROUP, OWNERS = "matches", ["team:matching"]


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"lightgbm", "parquet"}, deps=["ranker", APP_BLOCKS])
def scored_candidates(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    compute: ComputeResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    activity: pd.DataFrame,
    profile_embeddings: ShardManifest,
) -> dg.Output[ScoreManifest]:
    """Score the eligible candidates of each viewer in both directions with the champion.

    In: `profiles`, `interactions`, `activity`, `profile_embeddings`, blocks, the champion. Absent users are nobody's
    candidates. Out: the manifest of 16 files with one
    row for each pair: viewer_id, candidate_id, p_like, p_liked_back, p_match (float32); and the version of the
    champion. A shard that was scored from the same inputs is kept.
    """
    champion, start = registry.get_champion(), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        blocks = read_blocks(connection)
    write_table(convert_to_table(blocks), store.get_frame_path(BLOCKS_FRAME))
    absent = activity.loc[activity["absent"], ["profile_id"]].reset_index(drop=True)
    inputs = ScoringInputs(
        fingerprint_inputs(profiles, interactions, profile_embeddings, blocks, absent, champion.rankers.full),
        str(store.get_frame_path("profiles")),
        str(store.get_frame_path("interactions")),
        profile_embeddings,
        blocks,
        absent,
        champion.rankers.full,
    )
    folder = store.get_shard_folder("scored_candidates")
    shards = plan_scoring(inputs, folder)
    earlier = find_outdated(folder, shards)
    to_do, pairs = find_missing(shards), 0
    for done, count in enumerate(compute.map_shards(score_shard, to_do), 1):
        pairs += count
        context.log.info(f"shard {done} of {len(to_do)}: {pairs:,} pairs")
    remove_files(earlier)
    handed_on = ScoreManifest(build_manifest(shards).urls, champion.version)
    counts = {
        "pairs": sum(count_rows(UPath(shard.output)) for shard in shards),
        "pairs_scored": pairs,
        "shards_kept": len(shards) - len(to_do),
    }
    return dg.Output(handed_on, metadata={**counts, "seconds": round(time.monotonic() - start, 2)})
