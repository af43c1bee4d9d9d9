"""Market policies compared: by the market model, and by the logs of the live publication."""
