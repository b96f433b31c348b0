"""Commands on recipients and people."""
