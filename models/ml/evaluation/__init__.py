"""Evaluation of the ranker and of baselines on held-out decisions: protocols, methods and metrics."""
