"""The database layer: settings, engines, tables, the publication switch and erasure."""
