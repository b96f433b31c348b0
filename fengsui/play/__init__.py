"""Played storms: `fengsui run` with the simulator, drills, scenarios and their scores."""
