"""Policies judged from the logs of the live publication."""
