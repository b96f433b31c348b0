"""Rules tuned on series of measurements."""
