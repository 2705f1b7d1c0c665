"""Measurements, run by hand; benchmarks/README.md says how and what came out."""
