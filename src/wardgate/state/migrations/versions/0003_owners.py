"""Who owns operations: people's words and rules, CODEOWNERS files, and owners of specifications' files."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("specifications", sa.Column("owners", sa.String))
    op.create_table(
        "owner_rules",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("code", sa.String(1000)),
        sa.Column("service", sa.String(255)),
        sa.Column("method", sa.String(32)),
        sa.Column("template", sa.String(2000)),
        sa.Column("added_at_us", sa.BigInteger, nullable=False),
        sa.Column("removed_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_owner_rules"),
    )
    op.create_table(
        "owner_words",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("protocol", sa.String(32), nullable=False),
        sa.Column("method", sa.String(32)),
        sa.Column("template", sa.String, nullable=False),
        sa.Column("operation", sa.String),
        sa.Column("said_by", sa.String(64), nullable=False),
        sa.Column("added_at_us", sa.BigInteger, nullable=False),
        sa.Column("removed_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_owner_words"),
    )
    op.create_table(
        "code_owners",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("added_at_us", sa.BigInteger, nullable=False),
        sa.Column("removed_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_code_owners"),
    )
