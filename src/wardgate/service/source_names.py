"""What a source is called when nobody says: by its file, and apart from sources of other formats."""

from pathlib import Path

from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.sources.files import source_name
from wardgate.sources.rotation import unrotated


def source_of(lake: Lake, path: Path | None, format_name: str) -> str:
    """A source's name from its file: `shop.log` is `shop`, unless `shop.har` has the name already.

    What one source shows of credentials or times another may not, and where both saw a call it is a double:
    so files of different formats are different sources.
    """
    name = source_name(path)
    found = lake.rows(f"SELECT DISTINCT format FROM {ALIAS}.ledger WHERE source = ?", [name])
    formats = set(found["format"].to_pylist())
    if not formats or format_name in formats or path is None:
        return name
    whole = unrotated(path.name)
    return whole if whole != name else f"{name}-{format_name}"
