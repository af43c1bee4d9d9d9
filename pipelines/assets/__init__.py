"""Dagster assets, each with its own helpers, in four groups: source, embeddings, ranker, matches."""
