"""Users, groups, memberships and ids."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "profile_nodes",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=False),
        *[sa.Column(name, TEXT, nullable=False) for name in ("kind", "value")],
        sa.Column("root", NUMBER, nullable=False),
        *[sa.Column(name, sa.LargeBinary, nullable=False) for name in ("standing", "doc")],
        *[sa.Column(name, TEXT, nullable=False) for name in ("first", "first_source", "last", "last_source")],
        *[sa.Column(name, sa.Boolean, nullable=False) for name in ("known", "counted")],
        sa.Column("erased", TEXT, nullable=False),
        sa.UniqueConstraint("kind", "value", name="profile_nodes_identity"),
    )
    op.create_index("profile_nodes_by_root", "profile_nodes", ["root"])
    op.create_table(
        "profile_links",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("user", TEXT, primary_key=True),
        sa.Column("why", TEXT, primary_key=True),
        sa.Column("stamp", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("profile_links_by_user", "profile_links", ["user"])
    op.create_table(
        "profile_increments",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        *[sa.Column(name, TEXT, primary_key=True) for name in ("source", "message")],
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *[sa.Column(name, TEXT, nullable=False) for name in ("stamp", "trait", "by")],
        sqlite_with_rowid=False,
    )
    op.create_table(
        "profile_members",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("group", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("joined", sa.Boolean, nullable=False),
        sa.Column("stamp", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("profile_members_by_group", "profile_members", ["group", "node"])
    op.create_table(
        "profile_external_ids",
        sa.Column("type", TEXT, primary_key=True),
        sa.Column("value", TEXT, primary_key=True),
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("stamp", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("profile_external_ids_by_node", "profile_external_ids", ["node"])
