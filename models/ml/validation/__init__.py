"""Held-out sets, metrics and simple baselines, and the gate that a new ranker must pass."""
