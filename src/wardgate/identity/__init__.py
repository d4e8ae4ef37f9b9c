"""Credentials and callers: what they are and what they did."""
