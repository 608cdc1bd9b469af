"""Alembic runs this for each upgrade, with the connection that `worker.database.migrate` has locked."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
