"""Commands on a district's folder."""
