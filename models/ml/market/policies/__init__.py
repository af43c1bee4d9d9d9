"""Market policies: each gives every scored pair a score to sort lists by."""
