"""Words of other authorities and of observers as evidence."""
