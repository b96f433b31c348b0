"""Who made a decision: signatures, and whose keys count."""
