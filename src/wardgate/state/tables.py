"""The state's tables: small, relational, transactional; on SQLite or PostgreSQL.

Times are µs since 1970 (UTC). A change here needs a migration in `state/migrations/versions` and a new
`REVISION`; a test compares the migrated tables with these.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

REVISION = "0002"
"""The migration these tables are at."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

push_tokens = Table(
    "push_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("fingerprint", String(32), nullable=False, unique=True),  # keyed; the token itself is nowhere
    Column("key_id", String(8), nullable=False),  # which installation key made the fingerprint
    Column("created_at_us", BigInteger, nullable=False),
    Column("expires_at_us", BigInteger),
    Column("revoked_at_us", BigInteger),
    Column("last_used_at_us", BigInteger),
    # What holds for every call pushed with it.
    Column("vantage", String(16)),
    Column("environment", String(64)),
    Column("team", String(64)),
    Column("service", String(255)),
)
"""Who may push calls, under which source's name. A revoked token's name may be used again."""

Index(
    "ix_push_tokens_name_in_force",
    push_tokens.c.name,
    unique=True,
    sqlite_where=text("revoked_at_us IS NULL"),
    postgresql_where=text("revoked_at_us IS NULL"),
)

specifications = Table(
    "specifications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("title", String(255), nullable=False),
    Column("version", String(64), nullable=False),
    Column("service", String(255)),  # the service a person said it describes
    Column("digest", String(64), nullable=False),  # SHA-256 of the document, which itself is not kept
    Column("operations", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # what was read of it: JSON, Zstandard
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger),
)
"""Specifications that people gave. Adding one under a name in force replaces it; the old one stays, ended."""

Index(
    "ix_specifications_name_in_force",
    specifications.c.name,
    unique=True,
    sqlite_where=text("removed_at_us IS NULL"),
    postgresql_where=text("removed_at_us IS NULL"),
)
