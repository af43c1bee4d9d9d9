"""Compiled loops, parallel maps, hashes and top-k selection, which know nothing of profiles."""
