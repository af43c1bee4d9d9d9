"""Loaders: each fills the app tables from one source, once however often it is loaded, and reports its refusals."""
