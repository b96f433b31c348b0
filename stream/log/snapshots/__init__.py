"""Snapshots that come in pieces, as the adapters keep them. Whoever changes what is kept changes it for all of
them, and what `trim` may drop."""
