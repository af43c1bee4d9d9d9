"""The HTTP API. It reads the live publication and answers the app; it neither trains nor writes."""
