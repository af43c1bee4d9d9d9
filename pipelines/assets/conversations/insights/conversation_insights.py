"""The asset `conversation_insights`: what analysts may know of conversations; weekly, not part of the nightly job."""

import time

import dagster as dg
import numpy as np
import pandas as pd

from models.db.errors import NoChampion, RankerLost
from models.ml.conversations.insights.depth import SHOWN_COLUMNS
from models.ml.conversations.insights.out_of_fold_p_match import predict_out_of_fold_p_match
from models.ml.conversations.insights.town_insights import collect_insights
from pipelines.assets.conversations.fact_shards import load_facts
from pipelines.assets.conversations.insights.insight_rows import read_shown, replace_town_insights
from pipelines.reports.insights.insight_report import build_insight_metadata
from pipelines.resources import DatabaseResource
from pipelines.store.answer_shards import load_answers
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ShardManifest

GROUP = "insights"


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"postgres", "parquet"})
def conversation_insights(
    context: dg.AssetExecutionContext,
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    profile_embeddings: ShardManifest,
    training_pairs: pd.DataFrame,
    conversation_facts: ShardManifest,
    conversation_outcomes: pd.DataFrame,
) -> dg.Output[pd.DataFrame]:
    """Figures of conversations for analysts, each of at least 20 people.

    In: `conversation_facts`, `conversation_outcomes`, `profiles`, `profile_embeddings`, `training_pairs`, the champion,
    the publications that are kept. Out: a frame with one row a cell: month, measure, cell, value, low, high, people;
    and the same rows in `matching.town_insights`. Without a champion, no figure by p_match.
    """
    start, facts = time.monotonic(), load_facts(conversation_facts)
    p_match = np.full(len(facts), np.nan)
    try:
        rankers = registry.get_champion().rankers
        answers = load_answers(profile_embeddings)
        p_match = predict_out_of_fold_p_match(rankers, facts, profiles, answers, training_pairs)
    except (NoChampion, RankerLost):
        context.log.warning("there is no champion that can be loaded: no figures by decile of p_match")
    with database.open_engine() as engine, engine.begin() as connection:
        shown = facts[["conversation_id"]].assign(p_match=p_match)
        shown = shown.merge(read_shown(connection, facts), how="left", on="conversation_id")[list(SHOWN_COLUMNS)]
        cells = collect_insights(facts, conversation_outcomes, shown, profiles["extracted_at"].max())
        replace_town_insights(connection, cells)
    seconds = round(time.monotonic() - start, 2)
    counts = {"conversations": len(facts), "with_p_match": int(np.isfinite(p_match).sum())}
    return dg.Output(cells, metadata={**counts, **build_insight_metadata(cells), "seconds": seconds})
