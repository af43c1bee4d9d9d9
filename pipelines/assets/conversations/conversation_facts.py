"""The asset `conversation_facts`: who spoke when, in numbers, and what was counted of the words."""

import time
from collections.abc import Iterator

import dagster as dg
import pandas as pd
from sqlalchemy import Engine

from models.db.conversation_facts import COLUMNS, store_conversation_facts
from models.ml.conversations.frames import CONVERSATION_TYPES, FACT_TYPES, conform_frame, join_facts
from pipelines.assets.conversations.conversations import GROUP, OWNERS
from pipelines.assets.conversations.fact_shards import load_earlier_facts, write_facts
from pipelines.assets.conversations.message_facts import MessageFacts, read_message_facts
from pipelines.assets.conversations.message_words import CountedWords, count_words
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, ShardStore
from pipelines.store.shard_manifest import ShardManifest

NAME = "conversation_facts"


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "rejection_rate",
            asset=NAME,
            description="Few messages break their contract: above 5 % a warning. Nothing is blocked.",
        )
    ],
)
def conversation_facts(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    conversations: pd.DataFrame,
) -> Iterator[dg.Output[ShardManifest] | dg.AssetCheckResult]:
    """Compute the facts of each accepted conversation from its messages.

    In: `conversations`, `app.messages`; `app.message_texts` of conversations in which both agreed. Out: the manifest of
    16 files with one row for each conversation, numbers only, and the same rows in `matching.conversation_facts`. Facts
    of conversations that are refused, gone or older than 180 days are deleted.
    """
    start, accepted = time.monotonic(), conform_frame(conversations, CONVERSATION_TYPES)
    earlier = load_earlier_facts(store.get_frame_path(NAME))
    with database.open_engine() as engine:
        with engine.connect() as connection:
            messages = read_message_facts(connection, accepted)
        words = _count_allowed_words(engine, accepted, messages, earlier)
        facts = join_facts(accepted, messages.frame, words.counts)
        changed = store_conversation_facts(engine, _list_rows(facts))
    refused = sum(messages.refused.values())
    yield dg.Output(
        write_facts(facts, store.get_shard_folder(NAME)),
        metadata={
            "conversations": len(facts),
            "messages": messages.accepted,
            "rows_changed": changed,
            "reasons": dg.MetadataValue.json(dict(messages.refused)),
            "texts_read": words.read,
            "texts_without_consent": words.refused,
            "texts_readable": words.readable,
            **round_figures(
                {
                    "rejected_share": refused / max(messages.accepted + refused, 1),
                    "seconds": time.monotonic() - start,
                }
            ),
        },
    )
    yield check_rejection_rate(NAME, messages.accepted, refused, blocks=False)


def _count_allowed_words(
    engine: Engine, accepted: pd.DataFrame, messages: MessageFacts, earlier: pd.DataFrame
) -> CountedWords:
    """Count the words of the conversations that allow it and in which somebody wrote, in a transaction of its own."""
    allowed = accepted.loc[accepted["content_allowed"], "conversation_id"]
    with engine.connect() as connection:
        return count_words(connection, messages.frame[messages.frame["conversation_id"].isin(allowed)], earlier)


def _list_rows(facts: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """List the rows as `models.db.conversation_facts` takes them."""
    whole = {name: pd.Int64Dtype() for name in FACT_TYPES if name == "publication_id"}
    cells = facts[list(COLUMNS)].astype(whole).astype(object)
    return cells.where(facts[list(COLUMNS)].notna(), None).itertuples(index=False, name=None)
