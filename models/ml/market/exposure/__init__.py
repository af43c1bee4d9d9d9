"""Bounds on exposure, and the swaps that bring lists within them."""
