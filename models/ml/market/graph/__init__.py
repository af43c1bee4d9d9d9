"""The market graph, and the lists and inboxes on it."""
