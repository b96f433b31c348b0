"""The box in the village: receives, judges, sounds, reports. It needs no county server to speak."""
