"""Experiments: the file that defines them, and what is read and reported of them."""
