"""The tables. Schema `app` is the contract with the app; schema `matching` belongs to this backend.

In production the tables of `app` may be views over the app's own tables, so no reader relies on their constraints.
"""

from models.db.schema.tables.app import blocks, interactions, profiles, views
from models.db.schema.tables.columns import metadata
from models.db.schema.tables.conversations import conversations, message_texts, messages, outcomes, reports
from models.db.schema.tables.insights import town_insights
from models.db.schema.tables.matching import (
    EMBEDDING_DIMENSIONS,
    conversation_facts,
    embeddings,
    match_lists,
    publications,
)

__all__ = [
    "EMBEDDING_DIMENSIONS",
    "blocks",
    "conversation_facts",
    "conversations",
    "embeddings",
    "interactions",
    "match_lists",
    "message_texts",
    "messages",
    "metadata",
    "outcomes",
    "profiles",
    "publications",
    "reports",
    "town_insights",
    "views",
]
