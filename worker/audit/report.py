"""What an audit says."""

import msgspec


class Broken(msgspec.Struct, frozen=True, rename="camel"):
    """A message that is not in exactly one place."""

    source: str
    line: str
    partition: int
    position: str
    """In the log: `entry/number`."""
    message_id: str
    """"" when neither the log nor the archive has it any more."""
    destination: str
    wrong: str
    """A sentence without its full stop."""


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """The messages of a line that were looked at, by their place at a destination."""

    line: str
    destination: str
    accepted: int
    delivered: int
    filtered: int
    dead: int
    waiting: int
    broken: int


class Report(msgspec.Struct, frozen=True, rename="camel"):
    at_ms: int
    """Messages that came later were left out."""
    accounts: tuple[Account, ...]
    broken: tuple[Broken, ...]
    """The first of them; the accounts say how many there are."""
    differences: tuple[str, ...]
    """Where counters and stores contradict each other."""
    notes: tuple[str, ...]
    """What could not be proved, and why."""

    @property
    def balances(self) -> bool:
        return not self.differences and not any(account.broken for account in self.accounts)
