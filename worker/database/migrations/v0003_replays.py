"""Replays."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("state", "destination", "selection", "manifest")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("matched", "size", "sent")],
        sa.Column("rate", sa.Float, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("reached", "reason")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "updated_at")],
    )
