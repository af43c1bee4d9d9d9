"""Plots, tables and progress that assets, MLflow and the terminal show."""
