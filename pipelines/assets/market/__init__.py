"""Match lists by a market policy, and the comparison of all policies."""
