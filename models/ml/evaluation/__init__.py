"""How good a ranker is: metrics, protocols and baselines, side by side on held-out decisions."""
