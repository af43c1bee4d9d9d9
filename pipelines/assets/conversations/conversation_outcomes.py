"""The asset `conversation_outcomes`: what became of each conversation."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd
from sqlalchemy import text

from models.ml.conversations.outcomes import LABELS, judge_outcomes
from pipelines.assets.conversations.accepted_answers import read_answers
from pipelines.assets.conversations.conversations import GROUP, OWNERS
from pipelines.assets.conversations.fact_shards import load_facts
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource
from pipelines.store.shard_manifest import ShardManifest

NAME = "conversation_outcomes"


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "rejection_rate",
            asset=NAME,
            description="Few answers break their contract: above 5 % a warning. Nothing is blocked.",
        )
    ],
)
def conversation_outcomes(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    conversation_facts: ShardManifest,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Judge what became of each conversation.

    In: `conversation_facts`, `app.outcomes`. Out: a frame with one row for each conversation: conversation_id,
    person_a, person_b, matched_at, matured_at, mature, and the labels opener, answered_24h, answered_7d, reached_5,
    reached_20, contact, met and meet_again: 1, 0, or nan if not known.
    """
    start, facts = time.monotonic(), load_facts(conversation_facts)
    with database.open_engine() as engine, engine.connect() as connection:
        answers = read_answers(connection)
        now = pd.Timestamp(connection.execute(text("SELECT now()")).scalar_one())
    frame = judge_outcomes(facts, answers.accepted, now)
    refused = sum(answers.refused.values())
    read = len(answers.accepted) + refused
    shares = {f"{name}_share": frame[name].mean() for name in LABELS if frame[name].notna().any()}
    yield dg.Output(
        frame,
        metadata={
            "dagster/row_count": len(frame),
            "mature": int(frame["mature"].sum()),
            "answers": len(answers.accepted),
            "reasons": dg.MetadataValue.json(dict(answers.refused)),
            **round_figures({"rejected_share": refused / max(read, 1), "seconds": time.monotonic() - start, **shares}),
        },
    )
    yield check_rejection_rate(NAME, len(answers.accepted), refused, blocks=False)
