"""The assets, in the order of the flow: source, embeddings, ranker, matches."""
