"""What a person does, as records for the log."""
