"""What operators ask of a run that goes on."""
