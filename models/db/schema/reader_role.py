"""The database role of the API. The migrations create it and grant its rights."""

ROLE = "matching_reader"
