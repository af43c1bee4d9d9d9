"""What the example app asks its backend to do, by subject."""
