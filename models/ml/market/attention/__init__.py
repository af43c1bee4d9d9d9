"""How users examine lists and inboxes: examination curves, given or estimated from logs."""
