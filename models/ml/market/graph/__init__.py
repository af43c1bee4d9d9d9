"""The sparse graph of scored pairs, and lists and inboxes on it."""
