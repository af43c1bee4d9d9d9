"""Training of a ranker: imputation, cross-fitting, calibration, and the report on held-out folds."""
