"""Benches of what cameras show: what a frame costs, and how well a staff is read."""
