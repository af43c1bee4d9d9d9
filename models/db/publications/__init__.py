"""Complete sets of match lists: built apart, verified, made visible at one instant, kept for rollback."""

from models.db.publications.switch import Publication, live, publications, publish, rollback

__all__ = ["Publication", "live", "publications", "publish", "rollback"]
