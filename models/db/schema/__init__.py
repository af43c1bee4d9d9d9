"""Tables, migrations and the role that the API reads as."""
