"""What can go wrong below the edge, by what the caller does next."""


class WorkerError(Exception):
    """Base of the errors that this package raises."""


class PartitionsChanged(WorkerError):
    """The log holds messages under another number of partitions than the configuration asks for."""

    def __init__(self, *, stored: int, configured: int) -> None:
        super().__init__(
            f"the log was begun with {stored} partitions and the configuration says {configured}: "
            f"set [log] partitions = {stored}, or start on an empty log"
        )
        self.stored = stored
        self.configured = configured
