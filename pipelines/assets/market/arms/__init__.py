"""The arms of experiments in one publication: who is in which, and the lists of all of them in one market."""
