"""What everyone shares: `models.db` (data models) and `models.ml` (learned models)."""
