"""What an experiment is, and who is in which arm."""
