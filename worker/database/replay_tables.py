"""The table of replays."""

from sqlalchemy import BigInteger, Column, Float, Table, Text

from worker.database.tables import METADATA

REPLAYS = Table(
    "replays",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("selection", Text, nullable=False),
    # What of the archive is read: JSON, and long.
    Column("manifest", Text, nullable=False),
    Column("matched", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    # Messages a second; 0: as fast as it goes.
    Column("rate", Float, nullable=False),
    # The cursor up to which all messages are in their lines.
    Column("reached", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
