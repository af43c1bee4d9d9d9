"""Who may ask, and how often: tokens, their keys, and the rate limit."""
