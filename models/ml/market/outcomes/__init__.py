"""What lists lead to: likes, matches, and how evenly both are spread."""
