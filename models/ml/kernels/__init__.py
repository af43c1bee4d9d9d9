"""Compiled functions, parallel maps, hashes and top-k selection. Nothing here knows about profiles."""
