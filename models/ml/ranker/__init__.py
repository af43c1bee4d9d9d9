"""The ranker: ridge regression, boosted trees, calibration, and the contributions of features."""
