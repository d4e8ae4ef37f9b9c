"""The state's tables: small, relational, transactional; on SQLite or PostgreSQL.

Times are µs since 1970 (UTC). A change here needs a migration in `state/migrations/versions` and a new
`REVISION`; a test compares the migrated tables with these.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

REVISION = "0004"
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
    Column("owners", String),  # of the file it came from, as CODEOWNERS has it: JSON, (owner, where)
)
"""Specifications that people gave. Adding one under a name in force replaces it; the old one stays, ended."""

Index(
    "ix_specifications_name_in_force",
    specifications.c.name,
    unique=True,
    sqlite_where=text("removed_at_us IS NULL"),
    postgresql_where=text("removed_at_us IS NULL"),
)

owner_rules = Table(
    "owner_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(200)),  # none: `code` says where to look
    Column("code", String(1000)),  # a path in a repository whose CODEOWNERS was given
    Column("service", String(255)),
    Column("method", String(32)),
    Column("template", String(2000)),
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger),
)
"""Who owns all that fits; `*` in `service` and `template` is any text."""

owner_words = Table(
    "owner_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("service", String(255), nullable=False),
    Column("protocol", String(32), nullable=False),
    Column("method", String(32)),
    Column("template", String, nullable=False),
    Column("operation", String),
    Column("said_by", String(64), nullable=False),
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger),
)
"""What somebody said of one operation. By name, not by id: names outlive what is learned anew."""

code_owners = Table(
    "code_owners",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the file, which itself is not kept
    Column("lines", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # the lines that were understood: JSON, Zstandard
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger),
)
"""CODEOWNERS files that people gave. One under a name in force takes its place."""

template_words = Table(
    "template_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("service", String(255), nullable=False),
    Column("kind", String(16), nullable=False),  # pin, split, merge, name
    Column("template", String, nullable=False),  # what is settled
    Column("target", String),  # split: what comes out of it; merge: where it goes; name: with other names
    Column("note", String(500)),
    Column("said_by", String(64), nullable=False),
    Column("added_at_us", BigInteger, nullable=False),
    Column("removed_at_us", BigInteger),
)
"""What people settled of templates. What ended stays, ended."""
