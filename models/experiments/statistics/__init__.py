"""When to believe an experiment: lifts of clusters, intervals that hold at every look, and what to do about them."""
