"""The tables of the stories: what became of which messages, what was said about it, and how far all that is known."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from worker.database.tables import METADATA, NUMBER

EXCHANGES = Table(
    "exchanges",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("took_ms", Integer, nullable=False),
)

PASSAGES = Table(
    "passages",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("partition", Integer, nullable=False),
    Column("line", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    # Written as `worker.story.sortable` does: every message of the line between them met this fate.
    Column("first", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("exchange_id", NUMBER, ForeignKey("exchanges.id"), nullable=True),
    Index("passages_by_position", "partition", "line", "destination", "first", "last"),
    Index("passages_by_exchange", "exchange_id"),
)

STORY_PROGRESS = Table(
    "story_progress",
    METADATA,
    # Up to which entry the stream of a partition was moved here, and how many entries that were.
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("stream_id", Text, nullable=False),
    Column("moved", BigInteger, nullable=False),
    # Until when some passages were dropped from the stream before they could be moved; 0 if none ever were.
    Column("lost_ms", BigInteger, nullable=False),
)

STORY_HORIZON = Table(
    "story_horizon",
    METADATA,
    # Per kind of row since when they are all still here.
    Column("kind", Text, primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
)
