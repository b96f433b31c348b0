"""What an investigator asks: what was known at a moment, and the sealed account of an incident that can be
verified anywhere."""
