"""Measurements kept for charts and hindcasts: the port, and the adapters for SQLite and InfluxDB."""
