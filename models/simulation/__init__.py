"""Nights simulated before they happen: the pipeline's own functions and people who react, day after day."""
