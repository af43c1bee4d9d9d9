"""The outcome head: the probability that a conversation goes on, from what is known before the match."""
