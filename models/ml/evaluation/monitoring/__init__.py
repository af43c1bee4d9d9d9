"""Monitoring of a ranker in use: drift of profiles and scores, importance of feature groups."""
