"""Encoders of answers: any sentence-transformers model, or the packaged multilingual one."""
