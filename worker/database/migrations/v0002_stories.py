"""What became of messages at their destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "exchanges",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *_texts("request", "answer"),
        sa.Column("took_ms", sa.Integer, nullable=False),
    )
    _passages()
    op.create_table(
        "story_progress",
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("stream_id"),
        *_counts("moved", "lost_ms"),
    )
    op.create_table(
        "story_horizon",
        sa.Column("kind", sa.Text, primary_key=True),
        *_counts("since_ms"),
    )


def _passages() -> None:
    op.create_table(
        "passages",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("partition", sa.Integer, nullable=False),
        *_texts("line", "destination", "fate"),
        sa.Column("attempt", sa.Integer, nullable=False),
        *_texts("first", "last"),
        *_counts("at_ms", "until_ms"),
        sa.Column("took_ms", sa.Integer, nullable=False),
        *_texts("reason", "code"),
        *_counts("due_ms"),
        *_texts("owner"),
        sa.Column("exchange_id", NUMBER, sa.ForeignKey("exchanges.id"), nullable=True),
    )
    op.create_index("passages_by_position", "passages", ["partition", "line", "destination", "first", "last"])
    op.create_index("passages_by_exchange", "passages", ["exchange_id"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
