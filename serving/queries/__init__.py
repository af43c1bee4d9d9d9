"""What the API asks of the database: functions of schema `matching_api`, as the API's role may call nothing else.

Their SQL is in `migrations/sql`. Answers leave PostgreSQL as JSON text; Python does not open them.
"""

from serving.queries.live_publication import LivePublication, fetch_live_publication
from serving.queries.viewer_matches import (
    MatchPage,
    PublicationGone,
    fetch_most_compatible,
    fetch_one,
    fetch_page,
    fetch_similar,
)

__all__ = [
    "LivePublication",
    "MatchPage",
    "PublicationGone",
    "fetch_live_publication",
    "fetch_most_compatible",
    "fetch_one",
    "fetch_page",
    "fetch_similar",
]
