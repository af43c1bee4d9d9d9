"""Logs and metrics of the API."""
