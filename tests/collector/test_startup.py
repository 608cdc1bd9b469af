"""What a collector brings in before it takes its first message: its start is waited for, at every restart."""

import subprocess
import sys


def test_a_collector_starts_without_databases_and_their_migrations() -> None:
    said = _run("import collector.serve")
    assert not said & {"sqlalchemy", "alembic", "psycopg", "rich"}


def test_workers_start_without_migrations_where_there_is_nothing_to_migrate() -> None:
    assert "alembic" not in _run("import worker.pool, worker.clerk, destinations.profiles.store")


def _run(program: str) -> set[str]:
    """The libraries that were imported in the end."""
    told = "print(*{name.partition('.')[0] for name in sys.modules})"
    command = [sys.executable, "-c", f"{program}\nimport sys\n{told}"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
