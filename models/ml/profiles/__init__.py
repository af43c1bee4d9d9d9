"""Profiles as checked frames and as arrays: contracts, feature spec, embeddings, geography."""
