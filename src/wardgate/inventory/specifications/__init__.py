"""Specifications of every kind, read into one small form, and written from it."""
