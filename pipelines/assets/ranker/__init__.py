"""The ranker: its training, when it is due, and its evaluation beside the baselines."""
