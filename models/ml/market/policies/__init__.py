"""Market policies: each gives every scored pair the score that lists are sorted by."""
