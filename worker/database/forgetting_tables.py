"""The tables of who is to be forgotten, and of what was done about it."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from worker.database.tables import METADATA

FORGOTTEN = Table(
    "forgotten",
    METADATA,
    # Of an id; never the id itself.
    Column("digest", Text, primary_key=True),
    # The digest of the userId that was asked for: other ids of that user are here because of it.
    Column("subject", Text, nullable=False),
    # Until when (`receivedAt`) what came is forgotten; "" for ever.
    Column("until", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Index("forgotten_by_subject", "subject"),
)

FORGOTTEN_STATE = Table(
    "forgotten_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The secret of the digests, and a number that rises with every change.
    Column("key", Text, nullable=False),
    Column("state", BigInteger, nullable=False),
)

FORGETTINGS = Table(
    "forgettings",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    # The userId, until all is done; then "".
    Column("asked", Text, nullable=False),
    Column("state", Text, nullable=False),
    # What was removed where, and what destinations answered: JSON.
    Column("report", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    # When somebody who works on it last said so.
    Column("beat_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger, nullable=False),
    Index("forgettings_by_time", "created_ms"),
)
