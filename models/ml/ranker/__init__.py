"""The ranker: ridge, boosted trees, calibration, and the contributions of its features."""
