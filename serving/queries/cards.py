"""What the database answers about people."""

import json
from typing import NamedTuple

from serving.queries.reason_sentences import SENTENCES

# PostgreSQL fills the sentences in, which is quicker than to parse its answer in Python. A code without a sentence is
# left out: a newer pipeline may know reasons that this process does not.
TEMPLATES = json.dumps(SENTENCES)
"""The parameter `sentences` of the statements."""


class CardRows(NamedTuple):
    """The row that a statement answers with."""

    publication_id: int | None
    """None if there is none to read."""
    publication: str
    """JSON, as `serving.schemas.Publication`; without meaning if there is none."""
    listed: int
    """How many people the viewer's list has."""
    people: list[int]
    """Of everybody in `matches`, the hash by which a cursor names them."""
    topped_up: bool
    matches: str
    """JSON, as an array of `serving.schemas.Match`."""
