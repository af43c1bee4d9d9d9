"""The tables. Schema `app` is the contract with the app; schema `matching` belongs to this backend.

In production the tables of `app` may be views over the app's own tables, so no reader relies on their constraints.
"""

from models.db.schema.tables.app import blocks, interactions, profiles, views
from models.db.schema.tables.columns import metadata
from models.db.schema.tables.conversations import (
    conversations,
    message_texts,
    messages,
    outcomes,
    rate_opt_outs,
    reports,
)
from models.db.schema.tables.experiments import experiment_assignments
from models.db.schema.tables.insights import town_insights
from models.db.schema.tables.matching import (
    conversation_facts,
    embeddings,
    match_lists,
    publications,
)
from models.db.schema.tables.review import review_queue, searched_messages, upheld_reports

__all__ = [
    "blocks",
    "conversation_facts",
    "conversations",
    "embeddings",
    "experiment_assignments",
    "interactions",
    "match_lists",
    "message_texts",
    "messages",
    "metadata",
    "outcomes",
    "profiles",
    "publications",
    "rate_opt_outs",
    "reports",
    "review_queue",
    "searched_messages",
    "town_insights",
    "upheld_reports",
    "views",
]
