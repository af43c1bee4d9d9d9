"""The longer commands of the command line: the pipeline, the demo, user interfaces, scores of pairs."""
