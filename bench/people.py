"""How fast lists of users go into the database of profiles, and out of it."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from bench.measures import Row
from destinations.profiles import exporting, importing, tabling
from destinations.profiles.files import Format, rows
from destinations.profiles.rows import Terms, UserRow
from destinations.profiles.seldom import seldom_collecting
from destinations.profiles.store import open_profiles
from destinations.sql.engine import Database
from destinations.sql.url import DatabaseUrl

GOAL = 10_000
COLUMNS = ("id", "anonymous_ids", "user_ids", "groups", "timestamp")
GROUPS = 1_000
TERMS = Terms("import", "2024-02-29T12:00:00.000Z ", promoted=("email",))


def lists(count: int) -> list[Row]:
    """Users with five traits, one group and an address each: rows a second, in a SQLite database of this size.

    Beside it what one core does in a second: on a busy machine that says more.
    """
    with tempfile.TemporaryDirectory(prefix="turnout-bench-") as directory:
        home = Path(directory)
        database = open_profiles(DatabaseUrl.of_file(home / "profiles.db"))
        try:
            return list(_measured(database, home, count))
        finally:
            database.dispose()


def _measured(database: Database, home: Path, count: int) -> Iterator[Row]:
    given, lines, table = home / "given.jsonl", home / "out.jsonl", home / "out.csv"
    given.write_bytes(b"".join(map(_row, range(count))))
    yield _speed("import of new users", count, lambda: _take_in(database, given, "jsonl"))
    yield _speed("import of the same again", count, lambda: _take_in(database, given, "jsonl"))
    yield _speed("export as JSON lines", count, lambda: _write_lines(database, lines))
    yield _speed("export as a table", count, lambda: _write_table(database, table))
    yield _speed("import of the export", count, lambda: _take_in(database, lines, "jsonl"))
    yield _speed("import of the table", count, lambda: _take_in(database, table, "csv"))


def _row(number: int) -> bytes:
    traits = {"email": f"u{number}@example.com", "name": f"User {number}", "plan": "pro", "seats": number}
    address = {"city": "Oslo", "country": "Norway"}
    row = UserRow(id=f"user-{number:08}", traits={**traits, "address": address}, groups=[f"group-{number % GROUPS}"])
    return msgspec.json.encode(row) + b"\n"


def _speed(what: str, count: int, work: Callable[[], int]) -> Row:
    started, worked = time.perf_counter(), time.process_time()
    with seldom_collecting():
        assert work() == count
    rate, alone = count / (time.perf_counter() - started), count / (time.process_time() - worked)
    return Row(what, f"{rate:,.0f} rows/s", f"{alone:,.0f} per CPU second", None, f">= {GOAL:,}/s", rate >= GOAL)


def _take_in(database: Database, file: Path, form: Format) -> int:
    with file.open("rb") as opened:
        return sum(done.rows for done in importing.take_in(database, rows(opened, form, UserRow), TERMS))


def _write_lines(database: Database, file: Path) -> int:
    with exporting.snapshot(database) as connection, file.open("w", encoding="utf-8") as output:
        return sum(bool(output.write(line)) for line in tabling.as_lines(exporting.users(connection)))


def _write_table(database: Database, file: Path) -> int:
    with exporting.snapshot(database) as connection, file.open("w", encoding="utf-8", newline="") as output:
        paths = tabling.columns_of(exporting.all_traits(connection, ("user_id",)))
        return sum(1 for _ in tabling.as_table(exporting.plain_users(connection), COLUMNS, paths, output))
