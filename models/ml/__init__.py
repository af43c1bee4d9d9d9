"""Machine learning as pure functions: arrays and frames in, arrays and frames out."""
