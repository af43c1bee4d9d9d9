"""The database role of analysts, who read figures of many people. The migrations create it and grant its rights."""

ROLE = "matching_analyst"
"""It reads `matching.town_insights` and no other table."""
