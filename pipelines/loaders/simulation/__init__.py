"""The simulated population: profiles, texts, impressions, decisions and their ground truth."""
