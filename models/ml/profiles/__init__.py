"""Profiles as checked frames and as arrays: contracts, feature specification, embeddings, geography."""
