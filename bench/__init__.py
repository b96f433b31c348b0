"""Benchmarks: `fengsui bench` in a source tree. In no wheel."""
