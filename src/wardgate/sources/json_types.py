"""Types of values in vendors' JSON, for the Structs of the JSON formats.

msgspec checks them while it decodes: what is out of range or of another type rejects its record alone.
Numbers may stand in quotes.
"""

from typing import Annotated

import msgspec

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number that a column can hold."""

Text = str | int | float
"""Text that some writers write as a number."""

Headers = dict[str, str | int | float | list[str] | None]
"""A map of headers: a value, or a list of them."""
