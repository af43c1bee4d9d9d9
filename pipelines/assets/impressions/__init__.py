"""What users saw and when they were there: the views that keep the contract, impressions, and active days."""
