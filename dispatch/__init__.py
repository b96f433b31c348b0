"""Detections to receipts: what is decided, for whom, in which words, and what came of it."""
