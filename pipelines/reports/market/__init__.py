"""Reports of the market: lists, the comparison of policies, the frontier, and policies judged from logs."""
