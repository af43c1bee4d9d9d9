"""The Dagster pipeline, the loaders that fill the app tables, and the command `matching`."""
