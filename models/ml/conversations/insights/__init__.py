"""What analysts may know of conversations: figures of at least 20 people, by month or decile, never of one person."""
