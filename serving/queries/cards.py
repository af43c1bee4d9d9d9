"""The row that the queries about candidates and conversations return."""

from typing import NamedTuple


class CardRows(NamedTuple):
    """The cards of candidates, and the publication that they come from."""

    publication_id: int | None
    """None if there is no publication to read."""
    publication: str
    """JSON, as `serving.schemas.Publication`; not meaningful if there is no publication."""
    listed: int
    """Number of candidates on the viewer's list."""
    people: list[int]
    """The hash of each candidate in `matches`, or of each conversation, by which a cursor identifies them."""
    topped_up: bool
    matches: str
    """JSON, as an array of `serving.schemas.Match`, or of `serving.schemas.Conversation`."""
