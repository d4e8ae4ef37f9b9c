"""Protocols: what a call is beyond its method and path. One file each, listed in `catalogue.py`."""
