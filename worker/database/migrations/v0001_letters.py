"""Dead letters, and what was refused at the door."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _dead_letters()
    _refusals()
    op.create_table(
        "moved",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("entries", sa.Text, nullable=False),
    )


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *_texts("destination"),
        sa.Column("partition", sa.Integer, nullable=False),
        *_texts("line", "position", "source", "message_id", "user", "type", "event", "received_at"),
        *_texts("reason", "code", "cause", "cause_id"),
        sa.Column("attempts", sa.Integer, nullable=False),
        *_moments("first_failed_at", "died_at"),
        *_texts("trail", "request", "answer"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        *_texts("state"),
        *_moments("state_at"),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("edited", sa.Boolean, nullable=False),
        *_texts("discard_reason"),
        sa.UniqueConstraint("destination", "partition", "line", "position", name="dead_letters_identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("dead_letters_by_time", "dead_letters", ["state", "died_at"])
    grouped = ["state", "destination", "code", "cause_id", "died_at"]
    op.create_index("dead_letters_by_cause", "dead_letters", grouped)
    op.create_index("dead_letters_by_message", "dead_letters", ["message_id"])
    op.create_index("dead_letters_by_user", "dead_letters", ["user"])


def _refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        *_texts("source", "kind", "path"),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        *_texts("violations", "rule", "wrong", "message_id", "type", "event", "user"),
        *_moments("received_at", "last_at"),
        sa.Column("count", sa.Integer, nullable=False),
        *_texts("state"),
        *_moments("state_at"),
        sa.Column("edited", sa.Boolean, nullable=False),
        *_texts("discard_reason"),
        sqlite_autoincrement=True,
    )
    op.create_index("refusals_by_time", "refusals", ["state", "last_at"])
    op.create_index("refusals_by_rule", "refusals", ["state", "source", "rule", "last_at"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _moments(*names: str) -> list[sa.Column[int]]:
    """In milliseconds since 1970."""
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
