"""What lies downstream, how far a loudspeaker is heard, which neighbours a warning concerns. Pure."""
