"""What people settled of templates: pinned, split, merged and named ones."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "template_words",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("template", sa.String, nullable=False),
        sa.Column("target", sa.String),
        sa.Column("note", sa.String(500)),
        sa.Column("said_by", sa.String(64), nullable=False),
        sa.Column("added_at_us", sa.BigInteger, nullable=False),
        sa.Column("removed_at_us", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_template_words"),
    )
