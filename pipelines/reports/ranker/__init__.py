"""The report of a trained ranker and of the evaluation beside the baselines."""
