"""A district's rules as objects, and the part of a district that one process looks after."""
