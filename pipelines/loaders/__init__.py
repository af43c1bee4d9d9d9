"""Loaders: each fills the app tables from one source, is idempotent by `source_key`, and reports counts and refusals."""
