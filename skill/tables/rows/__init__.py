"""The rows of a table of storms: read, gaps filled by physics or by the rest, rain relative to the place."""
