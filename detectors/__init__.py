"""Observations to detections: thresholds, trends and quality, by district rules. Pure.
A new rule is one file in the room of its subject that defines `KIND`."""
