"""Benchmarks of templates and the training of their prior."""
