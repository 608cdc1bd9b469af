"""The tables of users, groups, memberships and ids."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, UniqueConstraint
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql

METADATA = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")
Text = AnyText().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Compared as Python and SQLite compare it, and not by the rules of some language."""

NODES = Table(
    "profile_nodes",
    METADATA,
    # Given by who writes: one does at a time.
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    # The node that stands for the whole user: its own id, unless it is joined to another.
    Column("root", NUMBER, nullable=False),
    # What matters of the links of this node, as `destinations.profiles.joining` writes it.
    Column("standing", LargeBinary, nullable=False),
    # Traits, as `destinations.profiles.document` writes them.
    Column("doc", LargeBinary, nullable=False),
    # Stamps of the first and the last thing that was said of it, and who said these.
    Column("first", Text, nullable=False),
    Column("first_source", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("last_source", Text, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("counted", Boolean, nullable=False),
    # What was said up to this stamp does not count any more; "" if it all does.
    Column("erased", Text, nullable=False),
    UniqueConstraint("kind", "value", name="profile_nodes_identity"),
    Index("profile_nodes_by_root", "root"),
)

LINKS = Table(
    "profile_links",
    METADATA,
    # Every claim that a node is some user, with the stamp of the first that said so. Which of them holds is worked out.
    Column("node", NUMBER, primary_key=True, autoincrement=False),
    Column("user", Text, primary_key=True),
    Column("why", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Index("profile_links_by_user", "user"),
    sqlite_with_rowid=False,
)

INCREMENTS = Table(
    "profile_increments",
    METADATA,
    # By the message that it came with, and its place there: each counts once, whenever the message comes again.
    Column("node", NUMBER, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),
    Column("message", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("stamp", Text, nullable=False),
    Column("trait", Text, nullable=False),
    Column("by", Text, nullable=False),
    sqlite_with_rowid=False,
)

MEMBERS = Table(
    "profile_members",
    METADATA,
    Column("node", NUMBER, primary_key=True, autoincrement=False),
    Column("group", NUMBER, primary_key=True, autoincrement=False),
    Column("joined", Boolean, nullable=False),
    Column("stamp", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("profile_members_by_group", "group", "node"),
    sqlite_with_rowid=False,
)

EXTERNAL_IDS = Table(
    "profile_external_ids",
    METADATA,
    Column("type", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("node", NUMBER, primary_key=True, autoincrement=False),
    Column("stamp", Text, nullable=False),
    Column("source", Text, nullable=False),
    Index("profile_external_ids_by_node", "node"),
    sqlite_with_rowid=False,
)
