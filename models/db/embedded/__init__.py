"""The embedded PostgreSQL 18 with pgvector: started on demand, shared by processes, recovered after a crash."""

from models.db.embedded.server import ensure_running, is_running, stop

__all__ = ["ensure_running", "is_running", "stop"]
