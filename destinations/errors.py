"""What can go wrong before a destination is there to be asked."""

from collections.abc import Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One mistake in the configuration, and where it is: `turnout.toml [destinations.hook] url`."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Unfit(ValueError):
    """The value cannot be this setting. The text says why, and never repeats the value: it may be secret."""


class DestinationError(Exception):
    """A destination cannot be made."""


class SettingsError(DestinationError):
    """The settings are not what the destination asks for."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class UnknownType(DestinationError):
    """No installed distribution offers a destination of this type."""


class BrokenPlugin(DestinationError):
    """The distribution that offers the type cannot be used."""
