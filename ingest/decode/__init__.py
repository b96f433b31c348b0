"""Bytes to readings, one file a format. Pure: nothing here knows a station."""
