"""Rules of general statistics on any quantity."""
