"""What follows a match: who writes, who answers, how long it goes on, who meets, and how it ends."""
