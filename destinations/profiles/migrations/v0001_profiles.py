"""Users, groups, memberships and ids."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "profile_nodes",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("kind", "value")],
        sa.Column("root", NUMBER, nullable=False),
        sa.Column("doc", sa.LargeBinary, nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("first", "first_source", "last", "last_source")],
        *[sa.Column(name, sa.Boolean, nullable=False) for name in ("known", "counted")],
        sa.Column("erased", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "value", name="profile_nodes_identity"),
    )
    op.create_index("profile_nodes_by_root", "profile_nodes", ["root"])
    op.create_table(
        "profile_links",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("why", sa.Text, primary_key=True),
        sa.Column("stamp", sa.Text, nullable=False),
    )
    op.create_index("profile_links_by_user", "profile_links", ["user"])
    op.create_table(
        "profile_increments",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("trait", sa.Text, primary_key=True),
        sa.Column("stamp", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "profile_members",
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("group", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("joined", sa.Boolean, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_index("profile_members_by_group", "profile_members", ["group", "node"])
    op.create_table(
        "profile_external_ids",
        sa.Column("type", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("node", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    op.create_index("profile_external_ids_by_node", "profile_external_ids", ["node"])
