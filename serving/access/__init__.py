"""Authentication and rate limiting of requests."""
