"""Read and write many rows with one statement, in SQLite and in PostgreSQL."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

Row = tuple[Any, ...]

_ARRAYS = {str: "text[]", int: "bigint[]", bool: "boolean[]", bytes: "bytea[]"}


class Put:
    """Writes rows, which are tuples of all columns.

    Of rows with one key, those that are there and those that come, the one holds that is least in the columns `first`,
    or greatest in the columns `last`; without either the one that comes.
    """

    def __init__(self, table: Table, *, first: Sequence[str] = (), last: Sequence[str] = ()) -> None:
        names = [column.name for column in table.columns]
        keys = [column.name for column in table.primary_key.columns]
        others = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
        better = f"({_listed(first or last, 'excluded.')}) {'<' if first else '>'} ({_listed(first or last, 'there.')})"
        head = f"INSERT INTO {table.name} AS there ({_listed(names)})"
        tail = f"ON CONFLICT ({_listed(keys)}) DO UPDATE SET {others}{f' WHERE {better}' if first or last else ''}"
        arrays = ", ".join(f"%b::{_ARRAYS[column.type.python_type]}" for column in table.columns)
        self._sqlite = f"{head} VALUES ({', '.join('?' for _ in names)}) {tail}"
        self._postgresql = f"{head} SELECT * FROM unnest({arrays}) {tail}"  # noqa: S608  # names of our own tables
        self._key = itemgetter(*map(names.index, keys))
        self._rank = itemgetter(*map(names.index, first or last)) if first or last else None
        self._holds = min if first else max

    def __call__(self, connection: Connection, rows: Iterable[Row]) -> None:
        found = self._best(rows)
        if not found:
            return
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(self._sqlite, found)
        else:
            connection.exec_driver_sql(self._postgresql, tuple([list(column) for column in zip(*found, strict=True)]))

    def _best(self, rows: Iterable[Row]) -> list[Row]:
        """One row for each key."""
        if self._rank is None:
            return list(rows)
        found: dict[Any, Row] = {}
        for row in rows:
            key = self._key(row)
            found[key] = self._holds(found[key], row, key=self._rank) if key in found else row
        return list(found.values())


class Change:
    """Sets some columns of rows that are there: rows to write are tuples of the key and these columns."""

    def __init__(self, table: Table, key: str, columns: Sequence[str]) -> None:
        values = ", ".join(f'"{name}" = ?' for name in columns)
        news = ", ".join(f'"{name}" = new."{name}"' for name in columns)
        names = [key, *columns]
        arrays = ", ".join(f"%b::{_ARRAYS[table.columns[name].type.python_type]}" for name in names)
        self._sqlite = f'UPDATE {table.name} SET {values} WHERE "{key}" = ?'  # noqa: S608  # names of our own tables
        self._postgresql = (
            f"UPDATE {table.name} AS there SET {news} FROM unnest({arrays}) AS new ({_listed(names)}) "  # noqa: S608
            f'WHERE there."{key}" = new."{key}"'
        )

    def __call__(self, connection: Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(self._sqlite, [(*row[1:], row[0]) for row in rows])
        else:
            connection.exec_driver_sql(self._postgresql, tuple([list(column) for column in zip(*rows, strict=True)]))


class Find:
    """Finds the rows of a table, as tuples of all columns, by the values of one column; if told so of one `kind`."""

    def __init__(self, table: Table, column: str, *, kind: str = "") -> None:
        names = _listed([column.name for column in table.columns])
        head = f"SELECT {names} FROM {table.name} WHERE"  # noqa: S608  # names of our own tables
        array = _ARRAYS[table.columns[column].type.python_type]
        same = f" AND kind = '{kind}'" if kind else ""
        self._sqlite = f'{head} "{column}" IN (SELECT value FROM json_each(?)){same}'  # noqa: S608  # likewise
        self._postgresql = f'{head} "{column}" = ANY(%b::{array}){same}'

    def __call__(self, connection: Connection, values: Sequence[Any]) -> Iterator[Any]:
        if not values:
            return iter(())
        if connection.dialect.name == "sqlite":
            return iter(connection.exec_driver_sql(self._sqlite, (msgspec.json.encode(values).decode(),)).all())
        return iter(connection.exec_driver_sql(self._postgresql, (list(values),)).all())


def _listed(names: Iterable[str], before: str = "") -> str:
    return ", ".join(f'{before}"{name}"' for name in names)
