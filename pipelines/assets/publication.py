"""The publication: the match lists in PostgreSQL, verified and switched live."""

import time
from typing import Any

import dagster as dg
import pandas as pd

from models.db.errors import RankerLost
from models.db.publications import publish_match_lists
from models.ml.profiles.encoders.opening import name_encoder
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.scoring.list_frames import LIKES_SENDERS, iterate_records
from models.ml.scoring.match_reasons import build_comparison_values
from pipelines.assets.market.arms.arm_groups import ASSIGNMENTS_FRAME, read_arms
from pipelines.assets.market.attention_estimates import ATTENTION_FRAME, read_attention_metrics
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, EncoderResource, ShardStore
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest

GROUP, OWNERS = "matches", ["team:matching"]


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"postgres"})
def publication(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    encoder: EncoderResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    scored_candidates: ScoreManifest,
    match_lists: pd.DataFrame,
) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster reads the bare class
    """Copy the match lists to PostgreSQL, verify them, and switch them live in one transaction.

    In: `match_lists`, `scored_candidates`, `profiles`. Out: a row of `matching.publications`, and one row for each
    viewer in `matching.match_lists`, with the inbox weight that the lists were made with. A row of
    `matching.experiment_assignments` for each user of an experiment. The two publications before are kept.
    """
    scored_at, version = profiles["extracted_at"][0], scored_candidates.ranker_version
    start = time.monotonic()
    specification = _find_specification(context, registry, version)
    with database.open_engine() as engine:
        done = publish_match_lists(
            engine,
            iterate_records(match_lists),
            ranker_version=version,
            encoder=specification.encoder if specification else name_encoder(encoder.choice),
            metrics={
                "p_match_summed_over_lists": _sum_p_match(match_lists),
                "reasons": build_comparison_values(specification) if specification else {},
                "likes": "told" if LIKES_SENDERS in match_lists else "secret",
                **read_attention_metrics(store.get_frame_path(ATTENTION_FRAME)),
            },
            as_of=scored_at.date(),
            scored_at=scored_at.to_pydatetime(),
            assignments=read_arms(store.get_frame_path(ASSIGNMENTS_FRAME)),
        )
    context.instance.add_run_tags(
        context.run.run_id, {"matching/publication": str(done.id), "matching/ranker": version}
    )
    context.log.info(f"publication {done.id} is live: {done.viewer_count:,} viewers, {done.pair_count:,} pairs")
    figures = {name: value for name, value in done.metrics.items() if name not in ("reasons", "likes")}
    metadata: dict[str, Any] = {"publication": done.id, "viewers": done.viewer_count, "pairs": done.pair_count}
    metadata["likes"] = done.metrics["likes"]
    return dg.MaterializeResult(
        metadata=metadata | round_figures(figures) | {"seconds": round(time.monotonic() - start, 2)}
    )


def _find_specification(context: dg.AssetExecutionContext, registry: ModelRegistry, version: str) -> FeatureSpec | None:
    """Return the feature spec of the ranker that scored the lists; None if MLflow has lost it.

    It names the encoder whose vectors the API reads with the lists, and the values that two profiles are compared by.
    """
    try:
        return registry.load_rankers(version).full.specification
    except RankerLost as lost:
        context.log.warning(
            f"{lost}; until the next publication the API shows a reason that compares answers, traits or wants as long "
            "as both profiles have some"
        )
        return None


def _sum_p_match(lists: pd.DataFrame) -> float:
    """Sum p_match over the lists.

    It counts a pair once in each list that shows it, as if every viewer examined the whole list. So it is far larger
    than the `expected_matches` of `match_lists`, which counts distinct matches and who is likely to look.
    """
    return float(lists["p_match"].map(sum).sum())
