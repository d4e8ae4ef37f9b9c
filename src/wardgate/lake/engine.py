"""DuckDB with DuckLake attached: the one way into the lake, for embedded and scaled installations.

Embedded: a SQLite catalogue in WAL mode (the rollback journal stalls for seconds) beside local Parquet.
Scaled: a PostgreSQL catalogue and S3-compatible storage, by `catalog` and `data` of the configuration. The
extensions come as wheels and nothing is fetched at run time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.home import Home

if TYPE_CHECKING:
    from wardgate.core.settings import LakeSettings

ALIAS = "lake"
_PASSWORD = re.compile(r"password\s*=\s*('[^']*'|\S+)|://[^@\s]*@", re.IGNORECASE)
MEMORY = "300MB"
"""What the engine may use before it spills, where nothing else is configured."""
INLINE_ROWS = 10
"""Commits of at most so many rows stay in the catalogue until maintenance flushes them: no tiny files."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lake is. `catalog` is a file path or a `postgres:` connection string."""

    catalog: str
    data: str
    scratch: Path
    lock: Path | None
    """Writers on a SQLite catalogue take turns by this file's lock."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """DuckDB settings for the storage, `s3_endpoint` and the like."""

    @property
    def on_postgres(self) -> bool:
        return self.catalog.startswith("postgres:")


def embedded_place(home: Home) -> Place:
    """The lake inside the home folder."""
    return Place(
        catalog=str(home.lake / "catalog.sqlite"),
        data=str(home.lake / "data"),
        scratch=home.scratch,
        lock=home.lake / ".writer.lock",
    )


def configured_place(home: Home, settings: "LakeSettings") -> Place:
    """Where `[lake]` of the configuration says the lake is; the home folder where it says nothing."""
    usual = embedded_place(home)
    catalog = settings.catalog or usual.catalog
    return Place(
        catalog=catalog,
        data=settings.data or usual.data,
        scratch=usual.scratch,
        lock=None if catalog.startswith("postgres:") else usual.lock,
        settings=settings.storage,
    )


def connect(
    place: Place, *, memory: str = MEMORY, threads: int = 2, inline_rows: int = INLINE_ROWS
) -> duckdb.DuckDBPyConnection:
    """A connection with the lake attached as `lake`. Raises `lake-unreadable`.

    Inserts and deletes of at most `inline_rows` rows go into the catalogue.
    """
    # The extensions are what the locked wheels hold, checked by hash at installation. DuckDB's own check of
    # their signatures, at every start, costs 0.3 s.
    con = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
    wanted = ["ducklake", "postgres_scanner" if place.on_postgres else "sqlite_scanner"]
    if "://" in place.data:
        wanted.append("httpfs")
    for extension in wanted:
        con.execute(f"LOAD {_quoted(str(_extension_file(extension)))}")
    settings = {
        "memory_limit": memory,
        "threads": str(threads),
        "temp_directory": str(place.scratch),
        "TimeZone": "UTC",
        "preserve_insertion_order": "false",
        **place.settings,
    }
    for name, value in settings.items():
        con.execute(f"SET GLOBAL {name} = {_quoted(value)}")  # a session's would not hold for cursors
    target = place.catalog if place.on_postgres else f"sqlite:{place.catalog}"
    options = f"DATA_PATH {_quoted(place.data)}, DATA_INLINING_ROW_LIMIT {inline_rows}"
    con.execute("SET enable_progress_bar = false")
    if place.on_postgres:
        con.execute("SET GLOBAL ducklake_max_retry_count = 30")  # processes collide there, and try again
    else:
        options += ", META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 30000"
        if Path(place.data).parent == Path(place.catalog).parent:
            options += ", OVERRIDE_DATA_PATH true"  # the two are moved together, with the home around them
    try:
        con.execute(f"ATTACH {_quoted('ducklake:' + target)} AS {ALIAS} ({options})")
    except duckdb.Error as error:
        con.close()
        raise unreadable(error) from error
    return con


def unreadable(error: duckdb.Error) -> WardgateError:
    """The refusal for a catalogue that cannot be opened or is damaged; connection strings are left out."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return WardgateError(
        "lake-unreadable",
        f"the lake's catalogue cannot be opened: {_PASSWORD.sub('password=…', first)}",
        mend="`wardgate doctor` says more.",
        exit_code=Exit.FAILED,
    )


def _extension_file(name: str) -> Path:
    """The extension in its wheel. Loaded from there: installing copies it into a home that may not exist."""
    package = resources.files(f"duckdb_extension_{name}")
    return Path(str(package)) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
