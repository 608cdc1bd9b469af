"""What can go wrong with a replay, by what the caller does next."""

from worker.errors import WorkerError


class BadExpression(WorkerError):
    """What `--where` says cannot be evaluated."""

    def __init__(self, reason: str, *, column: int) -> None:
        super().__init__(f"{reason} (at character {column})")
        self.column = column


class BadTime(WorkerError):
    """A time that nobody can read."""


class NoArchive(WorkerError):
    """There is no archive to read from."""


class ArchiveChanged(WorkerError):
    """The archive no longer holds what it held when the replay was planned."""


class UnknownReplay(WorkerError):
    """There is no replay of this id."""


class WrongState(WorkerError):
    """The replay is not in a state in which this can be done."""
