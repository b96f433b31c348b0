"""What must be true of the tables together. A check tells all it finds, and reads no file. Pure."""
