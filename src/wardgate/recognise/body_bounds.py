"""Bounds of one body: what is read of it, whatever its format."""

MOST_BYTES = 1 << 20
"""Longest body that is decoded."""
MOST_VALUES = 5_000
"""Values that are looked at."""
MOST_DEPTH = 32
MOST_FIELDS = 200
"""An object with more fields is a map: its keys are data. Of a form no more are read."""
