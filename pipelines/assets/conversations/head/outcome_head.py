"""The outcome head: trained each night on mature matches, and used by the market if its gate accepts it."""

import time
from dataclasses import asdict
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.conversations.head.outcome_gate import HeadQuality, judge_head
from models.ml.conversations.head.outcome_head import fit_head
from models.ml.conversations.head.outcome_inputs import GOES_ON, OUTCOMES, MatchSample, build_sample
from models.ml.conversations.head.profile_log_odds import compute_profile_log_odds
from models.ml.profiles.profile_matrix import build_profile_matrix
from pipelines.assets.conversations.head.head_inputs import FRAME, PastConversations, read_past_conversations
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.registry.head_registry import HeadTraining, get_page, record_head, withdraw_head
from pipelines.store.registry.model_registry import Champion, ModelRegistry
from pipelines.store.shard_manifest import ShardManifest

GROUP = "conversations"


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"scikitlearn", "mlflow"}, deps=[FRAME, "ranker"])
def outcome_head(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    profile_embeddings: ShardManifest,
) -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster reads the bare class
    """Train the head that estimates whether a conversation goes on, and let the market use it if the gate accepts it.

    In: `conversation_outcomes`, `profiles`, `profile_embeddings`, opt-outs, the champion among the rankers. Out: a
    version in MLflow, or none; then matches count alike whatever their outlook, and the metadata say why.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        known = read_past_conversations(store, connection, ids)
    champion = registry.find_champion() if known.outcomes["mature"].any() else None
    sample = build_mature_sample(known, champion, profiles, profile_embeddings)
    checks, quality = judge_head(known.past, sample)
    passed = all(check.passed for check in checks)
    figures = {"mature_matches": len(sample), **(_list_figures(quality) if quality else {})}
    if quality is None:
        withdraw_head(registry)
        version = None
    else:
        head = fit_head(known.past, sample, int(sample.known_at.max()), OUTCOMES)
        parameters = {
            "mature_matches": len(sample),
            "label": GOES_ON,
            "ranker": champion.version if champion else "none",
        }
        training = HeadTraining(head, checks, figures, parameters)
        run_id = context.run.run_id
        version = record_head(registry, training, f"dagster {run_id[:8]}", {"dagster_run_id": run_id})
    reason = "; ".join(check.sentence for check in checks if not check.passed)
    context.log.info("accepted" if passed else f"refused, so the outlook of a match does not count: {reason}")
    page = {"mlflow": dg.MetadataValue.url(get_page(registry))} if quality else {}
    said: dict[str, Any] = {"accepted": passed, "version": version or "none", **({"refused": reason} if reason else {})}
    seconds = {"seconds": round(time.monotonic() - start, 2)}
    return dg.MaterializeResult(metadata={**said, **page, **round_figures(figures), **seconds})


def build_mature_sample(
    known: PastConversations, champion: Champion | None, profiles: pd.DataFrame, embeddings: ShardManifest
) -> MatchSample:
    """Build the sample of mature matches; without a champion its log odds of likes are 0."""
    log_odds = np.zeros(known.person.shape)
    if champion is not None:
        ranker = champion.rankers.full
        people = build_profile_matrix(ranker.specification, profiles, load_answers(embeddings))
        log_odds = compute_profile_log_odds(ranker, people, known.person)
    return build_sample(known.outcomes, known.person, log_odds, pd.Timestamp.now("UTC").value)


def _list_figures(quality: HeadQuality) -> dict[str, float]:
    """Return the figures that are known, by name."""
    return {name: value for name, value in {**asdict(quality), "gain": quality.gain}.items() if np.isfinite(value)}
