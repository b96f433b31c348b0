"""Whose message is whose reading: a check for each table of devices. Pure."""
