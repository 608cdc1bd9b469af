"""Alembic runs this for each upgrade, with the connection that `destinations.sql.migrate` has locked."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], version_table=given["table"])
context.run_migrations()
