"""What the spool files of a data directory hold, for whoever looks on: it takes no lock and changes nothing."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec

from collector.spool.store import Account, account_of

DIRECTORY = "spool"
"""Where spool files are, in the data directory."""


class SpoolStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Of all collectors on this machine together."""

    messages: int = 0
    bytes: int = 0
    since: float | None = None
    """When (seconds since 1970) the oldest message came."""
    unreadable: tuple[str, ...] = ()
    """Files that cannot be looked into: damaged, or another user's."""


def read_status(data: Path) -> SpoolStatus:
    """Look into every spool file of this data directory; there may be none."""
    accounts: list[Account] = []
    unreadable: list[str] = []
    for path in _files(data / DIRECTORY):
        try:
            accounts.append(_read(path))
        except (sqlite3.Error, TypeError):
            if path.exists():  # a spool that was just emptied is removed
                unreadable.append(str(path))
    since = [account.since for account in accounts if account.since is not None]
    return SpoolStatus(
        messages=sum(account.messages for account in accounts),
        bytes=sum(account.bytes for account in accounts),
        since=min(since, default=None),
        unreadable=tuple(unreadable),
    )


class Held(msgspec.Struct, frozen=True, rename="camel"):
    """A message that lies in a spool file."""

    source: str
    since: float
    """When (seconds since 1970) it came."""


def holding(data: Path, message_id: str) -> list[Held]:
    """Where a message lies in the spool of this machine. Files that cannot be read are passed over."""
    found: list[Held] = []
    for path in _files(data / DIRECTORY):
        with contextlib.suppress(sqlite3.Error), closing(_opened(path)) as database:
            rows = database.execute("SELECT source, at FROM record WHERE message_id = ? ORDER BY id", [message_id])
            found += [Held(source, at) for source, at in rows]
    return found


def _files(directory: Path) -> Iterator[Path]:
    yield from sorted(path for path in directory.glob("*.db") if path.stem.isdigit() and path.stat().st_size)


def _read(path: Path) -> Account:
    with closing(_opened(path)) as database:
        return account_of(database)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0)
