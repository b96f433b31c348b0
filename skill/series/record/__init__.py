"""A record's rows as arrays: lines of a CSV at once, and their order."""
