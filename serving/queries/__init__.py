"""All SQL of the API. Answers leave PostgreSQL as JSON text; Python does not open them."""

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
