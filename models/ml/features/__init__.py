"""Features of pairs of users, decision history, decision weights and training pairs."""
