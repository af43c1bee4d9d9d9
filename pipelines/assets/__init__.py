"""Dagster assets, each with its own helpers: source, embeddings, ranker, matches, evaluation, policies."""
