"""Loaders fill the app tables from one source each. They are idempotent and report the rows they refuse."""
