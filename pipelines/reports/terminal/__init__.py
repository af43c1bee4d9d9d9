"""What a command shows on the terminal of a run: a bar while it lasts, and a summary at its end."""
