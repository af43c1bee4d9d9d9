"""The database role that reads what people wrote to each other. The migrations create it and grant its rights."""

ROLE = "matching_words"
