"""What stands in files beside the log: written whole or not at all, and by its hash. Whoever changes how
a file is written changes it for keys, pictures, CAP messages and lists alike."""
