"""Name a database."""

from pathlib import Path
from typing import ClassVar, Self

from destinations.errors import Unfit

_FILE = "sqlite:///"


class DatabaseUrl(str):
    """Where the database is. Shows itself without its password."""

    __slots__ = ()
    expected: ClassVar[str] = '"embedded" (a file in the data directory), or "postgresql://user:password@host/name"'

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, str) and (value == "embedded" or value.startswith(("postgresql://", _FILE))):
            return cls(value)
        raise Unfit(f"must be {cls.expected}")

    @classmethod
    def of_file(cls, file: Path) -> Self:
        return cls(f"{_FILE}{file}")

    @property
    def file(self) -> str | None:
        """The path of the file that it is, if it is one."""
        return self.removeprefix(_FILE) if self.startswith(_FILE) else None

    @property
    def embedded(self) -> bool:
        return self == "embedded"

    def __repr__(self) -> str:
        if self.file is not None:
            return str(self)
        scheme, found, rest = self.partition("://")
        before, at, after = rest.rpartition("@")
        return (
            f"{scheme}://***@{after.partition('?')[0]}" if before and at else f"{scheme}{found}{rest.partition('?')[0]}"
        )
