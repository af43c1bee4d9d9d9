"""The Columbia speed-dating experiment: its file, its key, and the profiles made of it."""
