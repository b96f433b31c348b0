"""Rules on water levels and discharge."""
