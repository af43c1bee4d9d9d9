"""Score candidates: retrieval, both directions of each pair, reasons, and the frame of lists."""
