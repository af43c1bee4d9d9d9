"""The models in MLflow: the rankers, the outcome heads, and what they were trained on."""
