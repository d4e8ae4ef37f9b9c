"""Hypothesis asks the same questions each time, so that what is red is red again; `make fuzz` asks others."""

import os

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.register_profile("fuzz", deadline=None, database=None)
settings.load_profile("fuzz" if "WARDGATE_FUZZ" in os.environ else "fixed")
