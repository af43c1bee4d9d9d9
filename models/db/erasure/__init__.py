"""What the database keeps about a user: erase it, or export it."""

from models.db.erasure.erase import ErasureReport, erase_profile, find_profile

__all__ = ["ErasureReport", "erase_profile", "find_profile"]
