"""The tables of users, groups, memberships and ids."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

METADATA = MetaData()

NUMBER = BigInteger().with_variant(Integer, "sqlite")

NODES = Table(
    "profile_nodes",
    METADATA,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    # The node that stands for the whole user: its own id, unless it is joined to another.
    Column("root", NUMBER, nullable=False),
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
)

INCREMENTS = Table(
    "profile_increments",
    METADATA,
    # The message that it came with stands in the stamp, and its place in that message in `number`: each counts once.
    Column("node", NUMBER, primary_key=True, autoincrement=False),
    Column("trait", Text, primary_key=True),
    Column("stamp", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("by", Text, nullable=False),
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
)
