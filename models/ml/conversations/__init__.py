"""What follows a match: facts of conversations, and the words where both people consent."""
