"""Publications: complete sets of match lists, built apart, verified, switched live at once, kept for rollback."""

from models.db.publications.switch import (
    StoredPublication,
    get_live_publication,
    list_publications,
    publish_match_lists,
    roll_back,
)

__all__ = ["StoredPublication", "get_live_publication", "list_publications", "publish_match_lists", "roll_back"]
