"""What the command line runs: the pipeline, the demo, the user interfaces, scores of pairs."""
