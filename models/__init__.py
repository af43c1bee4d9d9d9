"""What everyone shares: `models.db` (data models) and `models.ml` (learned models)."""

from models.caches import redirect_caches

redirect_caches()
