"""Conversations as sources provide them: their records, what is refused, and writing them to the app tables."""
