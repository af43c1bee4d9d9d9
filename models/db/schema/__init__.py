"""The tables, the migrations and the role of the API."""
