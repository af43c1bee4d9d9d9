"""What the API asks of the database: functions of schema `matching_api`, as the API's role may call nothing else.

Their SQL is in `migrations/sql`. Answers leave PostgreSQL as JSON text; Python does not open them.
"""

from serving.queries.matches import Page, PublicationGone, most_compatible, one, page, similar
from serving.queries.publications import LivePublication, live_publication

__all__ = [
    "LivePublication",
    "Page",
    "PublicationGone",
    "live_publication",
    "most_compatible",
    "one",
    "page",
    "similar",
]
