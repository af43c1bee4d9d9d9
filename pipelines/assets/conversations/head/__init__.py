"""The asset of the outcome head, and what it reads."""
