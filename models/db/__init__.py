"""Data models: settings, engines, tables, the publication switch, erasure."""
