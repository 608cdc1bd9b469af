"""What can go wrong with the database, by what the caller does next."""

from worker.errors import WorkerError


class DatabaseAway(WorkerError):
    """It cannot be opened, or does not do what is asked of it. Nothing was changed by what failed."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"the database at {place} cannot be used: {reason}")
        self.place = place
        self.reason = reason
