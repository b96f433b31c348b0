"""Plain loops that compute the same, for ratios."""
