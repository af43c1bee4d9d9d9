"""Validation: holdout sets, metrics, simple baselines, and the gate that a new ranker must pass."""
