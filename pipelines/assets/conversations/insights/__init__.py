"""The asset of insights: what was shown with each match, and the table for analysts."""
