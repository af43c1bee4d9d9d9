"""Features of pairs of profiles, and the decisions that they are learned from."""
