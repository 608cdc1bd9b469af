"""Run migrations, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

ENVIRONMENT = Path(__file__).parent
"""Where Alembic finds its env.py."""


def upgrade(connection: Connection, *, home: Path, table: str) -> None:
    """Run the migrations in `home` that the table `table` does not know of."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(ENVIRONMENT).replace("%", "%%"))
    config.set_main_option("version_locations", str(home).replace("%", "%%"))
    config.attributes.update(connection=connection, table=table)
    command.upgrade(config, "head")
