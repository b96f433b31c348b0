"""Workloads, publishers, and processes that benches start."""
