"""The database role that the API reads as. The migrations make it and say what it may read."""

ROLE = "matching_reader"
