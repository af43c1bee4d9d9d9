"""Conversations after the match, as numbers: what people did before, and what a match will come to."""
