"""Rules on rain."""
