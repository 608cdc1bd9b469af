"""What can go wrong with a database, by what the caller does next."""


class DatabaseAway(Exception):
    """It cannot be opened, or does not do what is asked of it. Nothing was changed by what failed."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"the database at {place} cannot be used: {reason}")
        self.place = place
        self.reason = reason


class TooNew(Exception):
    """A later version of Turnout has changed the tables."""

    def __init__(self, *, found: str, known: str) -> None:
        super().__init__(f"a later version of Turnout has changed it (to {found}; this one knows {known})")
