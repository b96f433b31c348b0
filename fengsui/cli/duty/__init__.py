"""Commands of the duty room."""
