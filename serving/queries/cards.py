"""The row that the queries about candidates return."""

import json
from typing import NamedTuple

from serving.queries.reason_sentences import SENTENCES

# PostgreSQL fills in the sentences, so that Python need not parse its response. Codes without a sentence are left out:
# a newer pipeline may know reasons that this process does not.
TEMPLATES = json.dumps(SENTENCES)
"""The parameter `sentences` of the statements."""


class CardRows(NamedTuple):
    """The cards of candidates, and the publication that they come from."""

    publication_id: int | None
    """None if there is no publication to read."""
    publication: str
    """JSON, as `serving.schemas.Publication`; not meaningful if there is no publication."""
    listed: int
    """Number of candidates on the viewer's list."""
    people: list[int]
    """The hash of each candidate in `matches`, by which a cursor identifies them."""
    topped_up: bool
    matches: str
    """JSON, as an array of `serving.schemas.Match`."""
