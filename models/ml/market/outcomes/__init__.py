"""Outcomes of lists: likes, matches, and how evenly they are spread."""
