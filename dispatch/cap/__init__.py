"""CAP 1.2 to others: files, feeds, pushes, signatures and acknowledgements."""
