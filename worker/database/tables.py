"""The tables of dead letters and of what was refused at the door."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

LONGEST_INDEXED = 200
"""Characters of a text from outside that stands in an index: PostgreSQL takes none of more than 2,704 bytes."""

METADATA = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A row's own number; SQLite counts up only what is called INTEGER."""

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    # Where it died: together these are its identity.
    Column("destination", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("line", Text, nullable=False),
    Column("position", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("cause_id", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_failed_at", BigInteger, nullable=False),
    Column("died_at", BigInteger, nullable=False),
    Column("trail", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", BigInteger, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("edited", Boolean, nullable=False),
    Column("discard_reason", Text, nullable=False),
    UniqueConstraint("destination", "partition", "line", "position", name="dead_letters_identity"),
    Index("dead_letters_by_time", "state", "died_at"),
    Index("dead_letters_by_cause", "state", "destination", "code", "cause_id", "died_at"),
    Index("dead_letters_by_message", "message_id"),
    Index("dead_letters_by_user", "user"),
    sqlite_autoincrement=True,
)

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    # Of source, path, raw and violations: what a client sends again and again is one row with a count.
    Column("digest", Text, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("violations", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("wrong", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", BigInteger, nullable=False),
    Column("edited", Boolean, nullable=False),
    Column("discard_reason", Text, nullable=False),
    Index("refusals_by_time", "state", "last_at"),
    Index("refusals_by_rule", "state", "source", "rule", "last_at"),
    sqlite_autoincrement=True,
)

MOVED = Table(
    "moved",
    METADATA,
    # Ids of the entries that the last step moved here from a stream of the log: a crash may have come before
    # they were deleted there, and they must not be counted twice.
    Column("stream", Text, primary_key=True),
    Column("entries", Text, nullable=False),
)
