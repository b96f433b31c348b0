"""Benches of whom a warning goes to, and how often."""
