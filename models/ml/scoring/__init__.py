"""Scoring of candidates: retrieval, scores of both directions, reasons, and the frame of match lists."""
