"""Rules tuned on tables of storms."""
