"""Commands that open something and run until Ctrl-C: the servers, and Dagster with MLflow."""
