"""Wardgate: a self-hosted API security platform for the age of AI agents."""

__version__ = "0.1.0"
