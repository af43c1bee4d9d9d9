"""The database role of reviewers: it reads the queue and the bodies it names, and decides. The migrations create it."""

ROLE = "matching_reviewer"
