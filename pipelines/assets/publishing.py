"""Scored candidates by the champion, and the publication of the lists made of them."""

import time
from typing import Any

import dagster as dg
import pandas as pd
from upath import UPath

from models.db.errors import RankerLost
from models.db.publications import publish_match_lists
from models.ml.profiles.encoder import ENCODER
from models.ml.scoring.list_frames import iterate_records
from models.ml.scoring.match_reasons import build_comparison_values
from pipelines.assets.candidate_shards import ScoringInputs, fingerprint_inputs, plan_scoring, score_shard
from pipelines.assets.extract import read_blocks
from pipelines.reports.plots import round_figures
from pipelines.resources import ComputeResource, DatabaseResource, ShardStore
from pipelines.store.frame_store import BLOCKS_FRAME, convert_to_table, count_rows, write_table
from pipelines.store.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest
from pipelines.store.shards import build_manifest, find_missing, find_outdated, remove_files

GROUP, OWNERS = "matches", ["team:matching"]


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"lightgbm", "parquet"}, deps=["ranker"])
def scored_candidates(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    compute: ComputeResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    profile_embeddings: ShardManifest,
) -> dg.Output[ScoreManifest]:
    """Each viewer's eligible candidates, scored in both directions by the champion.

    In: `profiles`, `interactions`, `profile_embeddings`, blocks, the champion. Out: a frame of 16 rows, shard, url and
    ranker_version, that names the files of the pairs: viewer_id, candidate_id, p_like, p_liked_back, p_match (float32).
    A shard that was scored from the same inputs is kept.
    """
    champion, start = registry.get_champion(), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        blocks = read_blocks(connection)
    write_table(convert_to_table(blocks), store.get_frame_path(BLOCKS_FRAME))
    inputs = ScoringInputs(
        fingerprint_inputs(profiles, interactions, profile_embeddings, blocks, champion.rankers.full),
        str(store.get_frame_path("profiles")),
        str(store.get_frame_path("interactions")),
        profile_embeddings,
        blocks,
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


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"postgres"})
def publication(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    scored_candidates: ScoreManifest,
    match_lists: pd.DataFrame,
) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster reads the bare class
    """The match lists in PostgreSQL: copied, verified, and switched live in one transaction.

    In: `match_lists`, `scored_candidates`, `profiles`. Out: a row of `matching.publications`, and one a viewer of
    `matching.match_lists`, which readers see from one instant on. The two publications before are kept.
    """
    scored_at, version = profiles["extracted_at"][0], scored_candidates.ranker_version
    start = time.monotonic()
    compared_by = _read_comparison_values(context, registry, version)
    with database.open_engine() as engine:
        done = publish_match_lists(
            engine,
            iterate_records(match_lists),
            ranker_version=version,
            encoder=ENCODER,
            metrics={"expected_matches_listed": _sum_expected_matches(match_lists), "reasons": compared_by},
            as_of=scored_at.date(),
            scored_at=scored_at.to_pydatetime(),
        )
    context.log.info(f"publication {done.id} is live: {done.viewer_count:,} viewers, {done.pair_count:,} pairs")
    figures = {name: value for name, value in done.metrics.items() if name != "reasons"}
    metadata: dict[str, Any] = {"publication": done.id, "viewers": done.viewer_count, "pairs": done.pair_count}
    return dg.MaterializeResult(
        metadata=metadata | round_figures(figures) | {"seconds": round(time.monotonic() - start, 2)}
    )


def _read_comparison_values(
    context: dg.AssetExecutionContext, registry: ModelRegistry, version: str
) -> dict[str, object]:
    """What the API compares two people by when it reads a reason; nothing where MLflow has lost the ranker."""
    try:
        return build_comparison_values(registry.load_rankers(version).full.specification)
    except RankerLost as lost:
        context.log.warning(
            f"{lost}; until the next publication a reason that compares answers, traits or wants is told while both "
            "profiles have some"
        )
        return {}


def _sum_expected_matches(lists: pd.DataFrame) -> float:
    """The sum of p_match over the lists: what they would bring if everybody looked at all of theirs."""
    return float(lists["p_match"].map(sum).sum())
