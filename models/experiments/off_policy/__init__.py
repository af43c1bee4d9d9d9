"""Policies judged from the logs of another policy: likes and matches, with what the logs cannot tell."""
