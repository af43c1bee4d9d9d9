"""Pictures and metadata of the insights of conversations."""
