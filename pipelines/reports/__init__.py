"""Plots, tables and progress for assets, MLflow and the terminal."""
