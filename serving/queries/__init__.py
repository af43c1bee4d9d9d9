"""The database queries of the API: functions of schema `matching_api`, the only ones that the API's role may call.

Their SQL is in `migrations/sql`. They return JSON text, which Python passes on without parsing it.
"""

from serving.queries.arms import fetch_arms
from serving.queries.conversations import fetch_conversations
from serving.queries.live_publication import LivePublication, fetch_live_publication
from serving.queries.viewer_matches import (
    Asker,
    CardPage,
    PublicationGone,
    explain_empty,
    fetch_like,
    fetch_likes,
    fetch_most_compatible,
    fetch_one,
    fetch_page,
    fetch_similar,
)

__all__ = [
    "Asker",
    "CardPage",
    "LivePublication",
    "PublicationGone",
    "explain_empty",
    "fetch_arms",
    "fetch_conversations",
    "fetch_like",
    "fetch_likes",
    "fetch_live_publication",
    "fetch_most_compatible",
    "fetch_one",
    "fetch_page",
    "fetch_similar",
]
