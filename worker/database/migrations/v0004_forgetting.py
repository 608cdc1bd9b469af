"""Who is to be forgotten, and what was done about it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        sa.Column("digest", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("subject", "until")],
        sa.Column("since_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("forgotten_by_subject", "forgotten", ["subject"])
    op.create_table(
        "forgotten_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "forgettings",
        sa.Column("id", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject", "asked", "state", "report")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_ms", "beat_ms", "finished_ms")],
    )
    op.create_index("forgettings_by_time", "forgettings", ["created_ms"])
