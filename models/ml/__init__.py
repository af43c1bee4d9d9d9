"""Learned models: pure functions, arrays and frames in, arrays and frames out."""
