"""Bounds on exposure, and the swaps that enforce them."""
