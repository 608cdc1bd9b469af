"""The values a setting can have beyond JSON's own: a secret and a duration."""

import math
import re
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from destinations.errors import Unfit


@runtime_checkable
class Readable(Protocol):
    """A type that reads itself from a configuration value, or raises Unfit."""

    expected: ClassVar[str]

    @classmethod
    def read(cls, value: object) -> Self: ...


class Secret:
    """Text that shows itself only to who asks with `reveal()`."""

    __slots__ = ("_text",)
    expected: ClassVar[str] = "text"
    mask: ClassVar[str] = "***"

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise Unfit(f"must be {cls.expected}")
        if not value:
            raise Unfit("is empty")
        return cls(value)

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self.mask

    def __format__(self, spec: str) -> str:
        return format(self.mask, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce__(self) -> Any:
        # A pickle travels and is stored: a secret must not go along unseen.
        raise TypeError("a Secret is not pickled")


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class Duration(float):
    """A length of time in seconds; written as "250ms", "10s", "5m", "24h", "7d" or a number of seconds."""

    __slots__ = ()
    expected: ClassVar[str] = 'a duration such as "250ms", "10s", "5m", "24h" or "7d"'

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
            return cls(float(match[1]) * _SECONDS[match[2]])
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit(f"must be {cls.expected}")
        if value < 0 or not math.isfinite(value):
            raise Unfit("must be zero or more, and finite")
        return cls(value)

    @property
    def seconds(self) -> float:
        return float(self)

    def __repr__(self) -> str:
        for unit in ("d", "h", "m", "s"):
            if self and self % _SECONDS[unit] == 0:
                return f"{self / _SECONDS[unit]:.0f}{unit}"
        return f"{self * 1000:g}ms" if self else "0s"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)


class Size(int):
    """A number of bytes: 4096, "64KiB", "512MiB", "1GiB"."""

    __slots__ = ()
    expected: ClassVar[str] = 'a size such as 4096, "64KiB", "512MiB" or "1GiB"'

    @classmethod
    def read(cls, value: object) -> Self:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise Unfit(f"must be {cls.expected}")
        return cls(int(match[1]) * _UNITS_OF_SIZE[match[2]])


_UNITS_OF_SIZE = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE = re.compile(r"(\d{1,15}) ?(|KiB|MiB|GiB|TiB)")
