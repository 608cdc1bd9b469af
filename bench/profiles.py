"""How fast users are kept: identifies with both ids and an e-mail, from the log to the database, by one worker."""

import json
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import hammer, post
from bench.measures import BATCH, BATCH_CONNECTIONS, Row
from bench.rig import rig, wait_for
from destinations.profiles.store import open_profiles
from destinations.sql.engine import Database, writing
from destinations.sql.url import DatabaseUrl
from tests.postgres import Postgres

GOAL_SQLITE, GOAL_POSTGRESQL, GOAL_FULL = 5_000, 3_000, 0.8
AT_ONCE = 1_000

TABLE = 'profiles = true\narchive = false\n[destinations.profiles]\nurl = "{url}"\n'

_FILL = (
    # Two ids for each user: its own, and that of a visitor who became it.
    """INSERT INTO profile_nodes SELECT n, 'user_id', {user}, n, {blob}, {doc}, {stamp}, 'web', {stamp}, 'web', {true},
    {false}, '' FROM {numbers}""",
    """INSERT INTO profile_nodes SELECT {most} + n, 'anonymous_id', {visitor}, n, {blob}, {empty}, {stamp}, 'web',
    {stamp}, 'web', {false}, {false}, '' FROM {numbers}""",
    """INSERT INTO profile_links SELECT {most} + n, {user}, 'identify', {stamp} FROM {numbers}""",
    """INSERT INTO profile_external_ids SELECT 'email', {user}, n, {stamp}, 'web' FROM {numbers}""",
)


def profiles(count: int, users: int) -> list[Row]:
    """`count` identifies of as many new users; into an empty database, and beside so many users."""
    reference = _bare(count)
    with _sqlite() as url:
        empty = _kept(url, count)
    with _sqlite() as url:
        _fill(url, users)
        full = _kept(url, count)
    rows = [
        _against(f"the same beside {users:,}", full, empty),
    ]
    with _postgresql() as url:
        rows.append(_row("identifies, PostgreSQL", _kept(url, count), reference, GOAL_POSTGRESQL))
    return [_row("identifies, SQLite", empty, reference, GOAL_SQLITE), *rows]


def _row(what: str, rate: float, reference: float, goal: int) -> Row:
    figure = f"{rate:,.0f} msg/s"
    return Row(what, figure, f"{reference:,.0f} bare upserts", rate / reference, f">= {goal:,}", rate >= goal)


def _against(what: str, full: float, empty: float) -> Row:
    ratio = full / empty
    return Row(what, f"{full:,.0f} msg/s", f"{empty:,.0f} empty", ratio, f">= {GOAL_FULL}", ratio >= GOAL_FULL)


def _kept(url: str, count: int) -> float:
    """Messages/s from the first that is kept to the last, so that starting a worker is not measured."""
    with rig(TABLE.format(url=url), ("profiles",)) as here:
        port = here.collector()
        requests = (post("/v1/batch", _identifies()) for _ in range(count // BATCH))
        hammer(port, requests, connections=BATCH_CONNECTIONS)
        here.workers(1)
        wait_for(lambda: here.delivered("profiles") > 0, pause=0.002)
        begun, before = time.perf_counter(), here.delivered("profiles")
        wait_for(lambda: here.delivered("profiles") == count)
        return (count - before) / (time.perf_counter() - begun)


def _identifies() -> bytes:
    return json.dumps({"batch": [_identify() for _ in range(BATCH)]}, separators=(",", ":")).encode()


def _identify() -> dict[str, object]:
    name = secrets.token_hex(8)
    traits = {"email": f"{name}@example.com", "firstName": "Ada", "lastName": "Lovelace", "plan": "pro", "logins": 5}
    return {
        "type": "identify",
        "messageId": f"bench-{name}",
        "userId": f"user-{name}",
        "anonymousId": secrets.token_hex(16),
        "traits": traits,
        "context": {"library": {"name": "analytics.js", "version": "2.1.0"}, "locale": "en-GB"},
    }


def _bare(count: int) -> float:
    """Upserts/s of as many rows of the same size, in batches, with nothing but SQLite's own driver."""
    with tempfile.TemporaryDirectory(prefix="turnout-bench-") as directory:
        connection = sqlite3.connect(f"{directory}/bare.db", isolation_level=None)
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE users (id TEXT PRIMARY KEY, doc BLOB, visitor TEXT UNIQUE, email TEXT);"
            "CREATE INDEX by_email ON users (email)"
        )
        rows = [(one["userId"], json.dumps(one), one["anonymousId"], str(one["messageId"])) for one in _some(count)]
        begun = time.perf_counter()
        for start in range(0, count, AT_ONCE):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO users VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
                rows[start : start + AT_ONCE],
            )
            connection.execute("COMMIT")
        return count / (time.perf_counter() - begun)


def _some(count: int) -> Iterator[dict[str, object]]:
    return (_identify() for _ in range(count))


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="turnout-bench-") as directory:
        yield f"sqlite:///{Path(directory) / 'profiles.db'}"


@contextmanager
def _postgresql() -> Iterator[str]:
    server = Postgres(fsync="on")
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def _fill(url: str, users: int) -> None:
    """So many users, as if each had been identified once."""
    database = open_profiles(DatabaseUrl(url))
    stamp = "2024-02-29T12:00:00.000Z bench-0123456789abcdef"
    doc = json.dumps({"email": ["somebody@example.com", stamp, "web"], "plan": ["pro", stamp, "web"]})
    words = _words(database, users) | {"stamp": f"'{stamp}'", "most": str(users), "true": "true", "false": "false"}
    with writing(database) as connection:
        for statement in _FILL:
            connection.exec_driver_sql(statement.format(**words, doc=_blob(database, doc)))
    database.dispose()


def _words(database: Database, users: int) -> dict[str, str]:
    """The same in each of the two languages. Ids are not in the order of the numbers, as in life."""
    if database.dialect.name == "sqlite":
        counted = "SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n <"
        numbers = f"(WITH RECURSIVE c (n) AS ({counted} {users}) SELECT n FROM c)"  # noqa: S608  # all of it is ours
        mixed = "printf('%016x', n * 2654435761 % 4294967296 * 65537)"
    else:
        numbers, mixed = f"generate_series(1, {users}) AS n", "md5(n::text)"
    ids = {"user": f"'user-' || {mixed}", "visitor": mixed}
    return {"numbers": numbers, "blob": _blob(database, ""), "empty": _blob(database, "{}"), **ids}


def _blob(database: Database, text: str) -> str:
    return f"CAST('{text}' AS BLOB)" if database.dialect.name == "sqlite" else f"convert_to('{text}', 'UTF8')"
